// The worker that reads, draws and writes pictures, so that the page always answers.

import {blend, putAlpha, takeAlpha} from './colors.js';
import {Problem, pixelsOf, readPicture} from './decoding.js';
import {enlarge} from './enlarging.js';
import {reflect, shrink, sizeWithin} from './resizing.js';
import {bytesOf, MULTIPLE, Runtime} from './runtime.js';

const THUMBNAIL = 160; // longer side in pixels
const STEADINESS = 0.9;
const JPEG_QUALITY = 0.95;
const MAX_KEPT = 10;

let runtime;
let limits;
const kept = new Map(); // photos and cartoons in the size of the drawing, the latest last

const tasks = {
  /** Starts the runtime; returns a description of it. */
  async start(options) {
    limits = options.limits;
    await bytesOf(options.style).catch(() => null); // so that the page works offline; its drawing says what is wrong
    runtime = await Runtime.start(options, options.style);
    const {accelerator, threads, gpuProblem} = runtime;
    return {accelerator, threads, gpuProblem};
  },

  /** Draws a photo in the size of the style, for the page. */
  async preview({id, file, style, strength, keepColors}) {
    const {photo, mime, notes} = await smallPhoto(id, file, style);
    const blended = blend(photo, await smallCartoon(id, file, style), strength, keepColors);
    return {photo: await createImageBitmap(photo), cartoon: await createImageBitmap(blended), mime, notes};
  },

  /** Draws a photo as small as it is shown among the styles. */
  async thumbnail({id, file, style, small}) {
    const {photo} = await smallPhoto(id, file, style);
    return createImageBitmap(await draw(small, shrink(photo, sizeWithin(photo, THUMBNAIL))));
  },

  /** Writes the cartoon of a photo in the photo's own size. */
  async save({id, file, style, strength, keepColors, mime}, report) {
    const cartoon = await smallCartoon(id, file, style);
    const {picture} = await readPicture(file, limits.pixels);
    const alpha = takeAlpha(picture);
    const large = await enlarge(cartoon, picture, report);
    const result = blend(picture, large, strength, keepColors);
    if (alpha) putAlpha(result, alpha, mime === 'image/png');
    const canvas = new OffscreenCanvas(result.width, result.height);
    canvas.getContext('2d').putImageData(result, 0, 0);
    return canvas.convertToBlob({type: mime, quality: JPEG_QUALITY});
  },

  /** Draws a frame of the camera, which has the size to draw it in. */
  async frame({bitmap, isFirst, style, strength, keepColors}) {
    const photo = pixelsOf(bitmap);
    const cartoon = await draw(style, photo, (...args) => runtime.drawFrame(...args, isFirst ? 0 : STEADINESS));
    return createImageBitmap(blend(photo, cartoon, strength, keepColors));
  },
};

/** Returns {photo, mime, notes} of a photo in the size at which a style draws it. */
function smallPhoto(id, file, style) {
  return keep(`photo ${id} ${style.drawing_size} ${style.bytes_per_pixel}`, async () => {
    const {picture, mime, notes} = await readPicture(file, limits.pixels);
    takeAlpha(picture);
    return {photo: shrink(picture, sizeWithin(picture, longSideOf(style, picture))), mime, notes};
  });
}

function smallCartoon(id, file, style) {
  return keep(`cartoon ${id} ${style.name}`, async () => draw(style, (await smallPhoto(id, file, style)).photo));
}

/** Returns what was made under a key, or makes it. */
async function keep(key, make) {
  const value = kept.get(key) ?? await make();
  kept.delete(key);
  kept.set(key, value);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value);
  return value;
}

/** Returns the longer side at which a style draws a picture: the style's own, or the most that memory allows. */
function longSideOf(style, {width, height}) {
  const most = Math.sqrt(limits.bytes / style.bytes_per_pixel / (width * height)) * Math.max(width, height);
  return Math.floor(Math.min(style.drawing_size || most, most));
}

/** Draws a picture, RGBA, in its own size. */
async function draw(style, picture, run = (...args) => runtime.draw(...args)) {
  const {width, height} = picture;
  const size = {width: fitting(width), height: fitting(height)};
  const cartoon = await run(style, toModel(picture, size), size);
  const result = new ImageData(width, height);
  for (let y = 0, o = 0; y < height; y++) {
    for (let i = y * size.width * 3, end = i + width * 3; i < end; o++) {
      for (let c = 0; c < 3; c++) result.data[o++] = (cartoon[i++] + 1) * 127.5;
      result.data[o] = 255;
    }
  }
  return result;
}

/** Returns a picture as float RGB in [-1, 1], padded by reflection to a size. */
function toModel({width, height, data}, size) {
  const values = new Float32Array(size.width * size.height * 3);
  for (let y = 0, o = 0; y < size.height; y++) {
    const row = reflect(y, height) * width;
    for (let x = 0; x < size.width; x++) {
      const i = (row + reflect(x, width)) * 4;
      for (let c = 0; c < 3; c++) values[o++] = data[i + c] / 127.5 - 1;
    }
  }
  return values;
}

const fitting = side => Math.max(2 * MULTIPLE, Math.ceil(side / MULTIPLE) * MULTIPLE);

// The runtime holds one model, so tasks take turns.
let turn = Promise.resolve();
self.onmessage = ({data}) => {
  turn = turn.then(() => work(data));
};

async function work({number, task, options}) {
  const report = share => self.postMessage({number, share});
  try {
    const result = await tasks[task](options, report);
    const transferred = [result, result.photo, result.cartoon].filter(value => value instanceof ImageBitmap);
    self.postMessage({number, result}, transferred);
  } catch (error) {
    const {name, details} = problemOf(error);
    self.postMessage({number, problem: {name, details}});
  }
}

function problemOf(error) {
  if (error instanceof Problem) return error;
  const message = String(error?.message ?? error);
  const isOfMemory = error instanceof RangeError || error instanceof WebAssembly.RuntimeError;
  return new Problem(isOfMemory || /memory|alloc/i.test(message) ? 'outOfMemory' : 'unexpected', {message});
}
