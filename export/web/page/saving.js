// Cartoons as files, in the size of their photos. Meanwhile the page takes nothing but Cancel.

import {at, busy, report, showProblem} from './status.js';
import {say} from './texts.js';

const EXTENSIONS = {'image/jpeg': 'jpg', 'image/png': 'png'};
const DOWNLOAD_MS = 60_000;
const CONTROLS = ['open', 'choices', 'photos'];

let ready = null; // the file that waits for a second press of Share

/** Chooses a photo's own format, if a cartoon can have it, and shows what this browser can do with files. */
export function offerFormat(mime) {
  at('format').value = mime in EXTENSIONS ? mime : 'image/png';
  at('share').hidden = !navigator.canShare?.({files: [new File([], 'cartoon.png', {type: 'image/png'})]});
  forgetShared();
}

/** Downloads the cartoons of photos one after another; a photo that cannot be drawn does not stop the others. */
export async function download(photos, stage) {
  const problems = [];
  for (const [i, photo] of photos.entries()) {
    const place = photos.length > 1 ? `${say('place', {number: i + 1, total: photos.length})} ` : '';
    try {
      const file = await finish(photo, stage, place);
      const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(file), download: file.name});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS);
      report(place + say('saved', {file: file.name}));
    } catch (error) {
      if (error.name === 'canceled' || photos.length === 1) throw error;
      showProblem(error);
      problems.push(at('problem').textContent);
    }
  }
  at('problem').textContent = problems.join(' ');
}

/** Hands the cartoon of a photo to the sheet of the system; a file that took long waits for a second press. */
export async function share(photo, stage) {
  const file = ready ?? await finish(photo, stage, '');
  ready = null;
  report('');
  try {
    await navigator.share({files: [file]});
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (error.name !== 'NotAllowedError') throw error;
    ready = file;
    report(say('shareAgain', {file: file.name}));
  }
}

export function forgetShared(event) {
  if (event?.target.id !== 'share') ready = null;
}

async function finish(photo, stage, place) {
  const mime = at('format').value;
  const before = document.activeElement;
  take(false);
  report(place + say('saving', photo));
  busy(true, 0);
  at('cancel').focus();
  try {
    const blob = await stage.drawer.request('save', {...photo, ...stage.taste(), mime}, share => busy(true, share));
    const stem = photo.name.replace(/\.[^.]*$/, '') || say('photo');
    return new File([blob], `${stem}-cartoon.${EXTENSIONS[mime]}`, {type: mime});
  } finally {
    busy(false);
    take(true);
    before?.focus();
  }
}

function take(isTaken) {
  for (const id of CONTROLS) at(id).inert = !isTaken;
}
