// Cartoons as files, in the size of their photos.

import {at, busy, report, showProblem} from './status.js';
import {say} from './texts.js';

const EXTENSIONS = {'image/jpeg': 'jpg', 'image/png': 'png'};
const DOWNLOAD_MS = 60_000;

/** Chooses a photo's own format, if a cartoon can have it, and shows what this browser can do with files. */
export function offerFormat(mime) {
  at('format').value = mime in EXTENSIONS ? mime : 'image/png';
  at('share').hidden = !navigator.canShare?.({files: [new File([], 'cartoon.png', {type: 'image/png'})]});
}

/** Downloads the cartoons of photos one after another; a photo that cannot be drawn does not stop the others. */
export async function download(photos, drawer, taste) {
  const problems = [];
  for (const [i, photo] of photos.entries()) {
    try {
      const file = await finish(photo, drawer, taste);
      const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(file), download: file.name});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS);
      const place = photos.length > 1 ? say('queue', {number: i + 1, total: photos.length, name: photo.name}) : '';
      report(`${place} ${say('saved', {file: file.name})}`.trim());
    } catch (error) {
      if (error.name === 'canceled' || photos.length === 1) throw error;
      showProblem(error);
      problems.push(at('problem').textContent);
    }
  }
  at('problem').textContent = problems.join(' ');
}

/** Hands the cartoon of a photo to the sheet of the system. */
export async function share(photo, drawer, taste) {
  const file = await finish(photo, drawer, taste);
  try {
    await navigator.share({files: [file]});
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
  report('');
}

async function finish(photo, drawer, taste) {
  const mime = at('format').value;
  const showShare = share => {
    busy(true, share);
    report(say('saving', {name: photo.name, percent: Math.round(100 * share)}));
  };
  showShare(0);
  const blob = await drawer.request('save', {...photo, ...taste, mime}, showShare);
  busy(false);
  return new File([blob], `${photo.name.replace(/\.[^.]*$/, '')}-cartoon.${EXTENSIONS[mime]}`, {type: mime});
}
