// The stage: the photo beside its cartoon, the styles, and the list of all photos.

import {FILE_PROBLEMS} from './decoding.js';
import {offerFormat} from './saving.js';
import {at, attempt, busy, report} from './status.js';
import {say} from './texts.js';

let numPhotos = 0;
let wanted = 0; // counts the requests; only the latest is shown
let pending = null; // the latest request that waits for the one before

export const stage = {
  photos: [], // {id, name, file, mime} each; mime is known once it is drawn
  shown: null, // the one on the stage
  drawer: null,
  styles: [],

  start(drawer, styles) {
    Object.assign(stage, {drawer, styles});
    at('style-list').replaceChildren(...styles.map(styleChoice));
    describeStyle();
  },

  add(files) {
    const added = files.map(file => ({id: ++numPhotos, name: file.name || `${say('photo')}.png`, file, mime: ''}));
    stage.photos.push(...added);
    showList();
    return added;
  },

  /** Shows the first of the photos that can be drawn; the others stay in the list, but for those that are no photos. */
  async showFirst(photos) {
    const problems = [];
    for (const photo of photos) {
      try {
        await stage.show(photo);
        break;
      } catch (error) {
        if (!FILE_PROBLEMS.has(error.name)) throw error;
        problems.push(error);
      }
    }
    if (problems.length) throw problems[0];
  },

  /** Draws a photo, and puts it on the stage. One that cannot be read leaves the list; what is shown stays. */
  async show(photo) {
    try {
      await draw(photo);
    } catch (error) {
      if (FILE_PROBLEMS.has(error.name)) remove(photo);
      throw error;
    }
    await drawThumbnails();
  },

  /** Draws the photo on the stage again, as the visitor wants it now. */
  async redraw() {
    describeStyle();
    at('strength-text').textContent = `${at('strength').value} %`;
    if (stage.shown && !at('compare').hidden) await draw(stage.shown);
  },

  /** Hides the stage for the camera, or shows it again. */
  cover(isCovered) {
    wanted++;
    pending = null;
    busy(false);
    at('compare').hidden = at('saving').hidden = isCovered || !stage.shown;
    at('choices').hidden = !isCovered && !stage.shown;
    at('styles').hidden = stage.styles.length < 2;
    at('photos').hidden = isCovered || stage.photos.length < 2;
  },

  /** Returns what the visitor has chosen. */
  taste() {
    const strength = at('strength').valueAsNumber / 100;
    return {style: chosenStyle(), strength, keepColors: at('keep-colors').checked};
  },

  divide() {
    at('stage').style.setProperty('--divider', `${at('divider').value}%`);
  },
};

function chosenStyle() {
  const {value} = at('style-list').querySelector(':checked');
  return stage.styles.find(({name}) => name === value);
}

/** Draws a photo for the stage. While one is drawn, only the latest of further requests waits. */
async function draw(photo) {
  const mine = ++wanted;
  busy(true);
  report(say('drawing', photo));
  const before = pending;
  const work = (async () => {
    await before;
    return mine === wanted ? stage.drawer.request('preview', {...photo, ...stage.taste()}) : null;
  })();
  pending = work.catch(() => {});
  let drawing;
  try {
    drawing = await work;
  } catch (error) {
    if (mine === wanted) throw error;
    return;
  }
  if (drawing && mine === wanted) put(photo, drawing);
  else [drawing?.photo, drawing?.cartoon].forEach(bitmap => bitmap?.close());
}

function put(photo, drawing) {
  paint(drawing.photo, at('photo'));
  paint(drawing.cartoon, at('cartoon'));
  if (!photo.mime) offerFormat(drawing.mime);
  photo.mime = drawing.mime;
  stage.shown = photo;
  stage.cover(false);
  stage.divide();
  showList();
  report([say('drawn', photo), ...drawing.notes.map(note => say(note.name, note.details))].join(' '));
}

export function paint(bitmap, canvas) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
}

function styleChoice(style, i) {
  const label = Object.assign(document.createElement('label'), {className: 'style'});
  const input = Object.assign(document.createElement('input'), {type: 'radio', name: 'style', value: style.name});
  input.checked = i === 0;
  input.onclick = attempt(stage.redraw); // also on the chosen one, to try again
  label.append(input, document.createElement('canvas'), style.name);
  return label;
}

function describeStyle() {
  at('style-text').textContent = chosenStyle().description;
}

/** Draws the photo on the stage in all styles, small; visitors who save data do without, as it loads all files. */
async function drawThumbnails() {
  const photo = stage.shown;
  if (stage.styles.length < 2 || navigator.connection?.saveData) return;
  for (const small of stage.styles) {
    if (!photo || photo !== stage.shown || at('compare').hidden) return;
    // A style that cannot be loaded says so when it is chosen.
    const bitmap = await stage.drawer.request('thumbnail', {...photo, ...stage.taste(), small}).catch(() => null);
    if (bitmap) paint(bitmap, at('style-list').querySelector(`[value="${small.name}"] + canvas`));
  }
}

function showList() {
  at('photos').hidden = at('download-all').hidden = stage.photos.length < 2;
  at('list').replaceChildren(...stage.photos.map(photo => {
    const choose = Object.assign(document.createElement('button'), {textContent: photo.name});
    choose.setAttribute('aria-current', photo === stage.shown);
    choose.onclick = attempt(() => stage.show(photo));
    const leave = Object.assign(document.createElement('button'), {textContent: '×'});
    leave.setAttribute('aria-label', say('remove', photo));
    leave.onclick = () => remove(photo);
    leave.hidden = photo === stage.shown;
    const entry = document.createElement('li');
    entry.append(choose, leave);
    return entry;
  }));
}

function remove(photo) {
  if (stage.photos.includes(photo)) stage.photos.splice(stage.photos.indexOf(photo), 1);
  showList();
}
