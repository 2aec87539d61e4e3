// The page: photos come in, their cartoons are shown, and the visitor saves them.

import {Camera} from './camera.js';
import {Problem} from './decoding.js';
import {Drawer} from './drawer.js';
import {startOffline} from './offline.js';
import {download, offerFormat, share} from './saving.js';
import {at, attempt, busy, report, showProblem} from './status.js';
import {fillTexts, say} from './texts.js';

const photos = []; // {id, name, file, isDrawn} each
let styles = [];
let drawer;
let camera = null;
let shown = null; // the photo on the stage
let wanted = 0; // counts the requests for the stage; only the latest is shown

async function start() {
  fillTexts();
  report(say('starting'));
  await startOffline();
  const response = await fetch('styles.json').catch(() => null);
  if (!response?.ok) throw new Problem('stylesMissing');
  ({styles} = await response.json());
  showStyles();
  const query = new URLSearchParams(location.search);
  drawer = new Drawer({threads: Number(query.get('threads')), backend: query.get('backend'), style: styles[0]});
  listen();
  describeRuntime(await drawer.started);
  busy(false);
  report('');
}

function describeRuntime({accelerator, threads, gpuProblem}) {
  const onCpu = threads > 1 ? say('runtimeCpu', {threads}) : say('runtimeOneThread');
  const onGpu = gpuProblem ? `${onCpu} ${say('runtimeWithoutGpu', {message: gpuProblem})}` : onCpu;
  at('runtime').textContent = accelerator === 'webgpu' ? say('runtimeGpu') : onGpu;
}

function listen() {
  for (const input of [at('files'), at('take')]) {
    input.onchange = () => {
      open([...input.files]);
      input.value = '';
    };
  }
  document.onpaste = event => open([...event.clipboardData.files]);
  document.ondragover = event => {
    event.preventDefault();
    document.body.classList.add('dragging');
  };
  document.ondragleave = () => document.body.classList.remove('dragging');
  document.ondrop = event => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    open([...event.dataTransfer.files]);
  };
  at('example').onclick = attempt(openExample);
  at('camera-start').onclick = attempt(startCamera);
  at('camera-stop').onclick = attempt(stopCamera);
  at('snapshot').onclick = attempt(takeSnapshot);
  at('cancel').onclick = () => drawer.restart();
  at('divider').oninput = divide;
  at('strength').oninput = at('keep-colors').onchange = attempt(draw);
  at('download').onclick = attempt(() => download([shown], drawer, taste()));
  at('download-all').onclick = attempt(() => download(photos, drawer, taste()));
  at('share').onclick = attempt(() => share(shown, drawer, taste()));
}

// Photos

async function open(files) {
  if (!files.length) return;
  stopCamera();
  const added = files.map(file => ({id: crypto.randomUUID(), name: file.name, file, isDrawn: false}));
  photos.push(...added);
  await attempt(() => show(added[0]))();
}

async function openExample() {
  const blob = await (await fetch('example.jpg')).blob();
  await open([new File([blob], 'example.jpg')]);
}

/** Puts a photo on the stage; one that cannot be drawn leaves the list, and the one before stays. */
async function show(photo) {
  const before = shown;
  shown = photo;
  try {
    await draw();
  } catch (error) {
    if (!photo.isDrawn && error.name !== 'canceled') photos.splice(photos.indexOf(photo), 1);
    if (shown === photo && before?.isDrawn) shown = before;
    throw error;
  } finally {
    showQueue();
  }
  await drawThumbnails();
}

function showQueue() {
  at('photos').hidden = at('download-all').hidden = photos.length < 2;
  at('queue').replaceChildren(...photos.map(photo => {
    const button = Object.assign(document.createElement('button'), {textContent: photo.name});
    button.setAttribute('aria-current', photo === shown);
    button.onclick = attempt(() => show(photo));
    const entry = document.createElement('li');
    entry.append(button);
    return entry;
  }));
}

// Drawing

function taste() {
  const {value} = at('style-list').querySelector(':checked');
  const style = styles.find(({name}) => name === value);
  return {style, strength: at('strength').valueAsNumber, keepColors: at('keep-colors').checked};
}

/** Draws the photo on the stage as the visitor wants it; of several requests, only the latest is shown. */
async function draw() {
  if (!shown || camera) return;
  const mine = ++wanted;
  const photo = shown;
  busy(true);
  report(say('drawing', photo));
  let drawing;
  try {
    await drawer.started;
    if (mine === wanted) drawing = await drawer.request('preview', {...photo, ...taste()});
  } catch (error) {
    if (mine === wanted) throw error;
  }
  if (mine !== wanted) return;
  put(drawing.photo, at('photo'));
  put(drawing.cartoon, at('cartoon'));
  divide();
  if (!photo.isDrawn) offerFormat(drawing.mime);
  photo.isDrawn = true;
  at('styles').hidden = styles.length < 2;
  for (const id of ['compare', 'settings', 'saving']) at(id).hidden = false;
  busy(false);
  report([say('drawn', photo), ...drawing.notes.map(note => say(note))].join(' '));
}

function put(bitmap, canvas) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
}

function divide() {
  at('cartoon').style.clipPath = `inset(0 0 0 ${at('divider').value}%)`;
}

function showStyles() {
  at('style-list').replaceChildren(...styles.map((style, i) => {
    const label = Object.assign(document.createElement('label'), {className: 'style', title: style.description});
    const input = Object.assign(document.createElement('input'), {type: 'radio', name: 'style', value: style.name});
    input.checked = i === 0;
    input.onchange = attempt(draw);
    label.append(input, document.createElement('canvas'), style.name);
    return label;
  }));
}

/** Draws the photo on the stage in all styles, small. Their files are loaded for that, unless the visitor saves data. */
async function drawThumbnails() {
  const photo = shown;
  if (styles.length < 2 || navigator.connection?.saveData) return;
  for (const small of styles) {
    if (photo !== shown) return;
    const bitmap = await drawer.request('thumbnail', {...photo, ...taste(), small});
    put(bitmap, at('style-list').querySelector(`[value="${small.name}"] + canvas`));
  }
}

// The camera

async function startCamera() {
  stopCamera();
  shown = null;
  camera = new Camera({
    video: at('video'),
    canvas: at('live-canvas'),
    draw: (bitmap, isFirst) => drawer.request('frame', {bitmap, isFirst, ...taste()}),
    onRate: (side, rate) => at('live-rate').textContent = say('cameraRate', {side, rate: Math.round(rate)}),
  });
  try {
    await camera.start();
  } catch (error) {
    stopCamera();
    throw error;
  }
  at('styles').hidden = styles.length < 2;
  at('live').hidden = at('settings').hidden = false;
  at('compare').hidden = at('saving').hidden = true;
  report('');
  camera.running.catch(error => {
    stopCamera();
    showProblem(error);
  });
}

function stopCamera() {
  camera?.stop();
  camera = null;
  at('live').hidden = true;
}

async function takeSnapshot() {
  const canvas = document.createElement('canvas');
  put(await camera.grab(), canvas);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  await open([new File([blob], 'camera.png')]);
}

attempt(start)();
