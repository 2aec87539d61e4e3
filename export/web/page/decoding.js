// Reads picture files. Their kind is told by their first bytes, so that a file that is none gets its own sentence.

const MAX_SIDE = 16384; // pixels; what all browsers' canvases take

/** A problem that the visitor is told of: `name` is the name of its sentence in texts.js, `details` fill it in. */
export class Problem extends Error {
  constructor(name, details = {}) {
    super(name);
    this.name = name;
    this.details = details;
  }
}

/** The names of problems that lie in a file itself. */
export const FILE_PROBLEMS = new Set(['isNoPicture', 'isDrawing', 'isCutShort', 'isBroken', 'cannotBeRead', 'isGone']);

/**
 * Reads a picture upright, in sRGB, as RGBA; one of more than `maxPixels` is made smaller.
 *
 * Returns {picture, mime, notes}: notes are sentences about what the visitor should know, {name, details} each.
 * Throws Problem if it cannot be read.
 */
export async function readPicture(file, maxPixels) {
  const {name} = file;
  const bytes = await file.arrayBuffer().then(buffer => new Uint8Array(buffer), () => null);
  if (!bytes) throw new Problem('isGone', {name});
  const mime = mimeOf(bytes);
  if (!mime) throw new Problem(isSvg(bytes) ? 'isDrawing' : 'isNoPicture', {name});
  if (isCutShort(bytes, mime)) throw new Problem('isCutShort', {name});
  const notes = isAnimated(bytes, mime) ? [{name: 'firstFrame'}] : [];
  const typed = new File([bytes], name, {type: mime});
  let bitmap = await decode(typed, {});
  const {width, height} = bitmap;
  const scale = Math.min(Math.sqrt(maxPixels / (width * height)), MAX_SIDE / Math.max(width, height));
  if (scale < 1) {
    const resizeWidth = Math.max(1, Math.floor(width * scale));
    const resizeHeight = Math.max(1, Math.floor(height * scale));
    bitmap.close();
    bitmap = await decode(typed, {resizeWidth, resizeHeight, resizeQuality: 'high'});
    notes.push({name: 'madeSmaller', details: {width: resizeWidth, height: resizeHeight}});
  }
  return {picture: pixelsOf(bitmap), mime, notes};
}

async function decode(file, options) {
  try {
    return await createImageBitmap(file, options);
  } catch (error) {
    if (error.name === 'RangeError') throw error;
    const isKnown = file.type === 'image/jpeg' || file.type === 'image/png';
    throw new Problem(isKnown ? 'isBroken' : 'cannotBeRead', {name: file.name, mime: file.type});
  }
}

/** Returns the pixels of a bitmap, and closes it. */
export function pixelsOf(bitmap) {
  const {width, height} = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

function mimeOf(bytes) {
  const start = text(bytes, 0, 12);
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('\x89PNG')) return 'image/png';
  if (start.startsWith('GIF8')) return 'image/gif';
  if (start.startsWith('BM')) return 'image/bmp';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp';
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'image/tiff';
  if (start.startsWith('\0\0\0\x0cJXL ') || start.startsWith('\xff\x0a')) return 'image/jxl';
  if (start.slice(4, 8) !== 'ftyp') return '';
  if (/avi[fs]/.test(text(bytes, 8, 40))) return 'image/avif';
  return /hei[cx]|hevc|mif1|msf1/.test(text(bytes, 8, 40)) ? 'image/heic' : '';
}

const isSvg = bytes => /<svg|<!DOCTYPE svg/i.test(text(bytes, 0, 1000));

/** Browsers show the first part of such a file, and grey below. */
function isCutShort(bytes, mime) {
  if (mime === 'image/png') return !hasEndOfPng(bytes);
  return mime === 'image/jpeg' && !hasEndOfJpeg(bytes);
}

function hasEndOfPng(bytes) {
  const numbers = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + numbers.getUint32(at)) {
    if (text(bytes, at + 4, at + 8) === 'IEND') return true;
  }
  return false;
}

function hasEndOfJpeg(bytes) {
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    at += bytes[at + 1] === 0xff ? 1 : 2 + (bytes[at + 2] << 8) + bytes[at + 3]; // markers may follow any number of FF
  }
  for (let end = bytes.length - 1; end > at; end--) {
    if (bytes[end] === 0xd9 && bytes[end - 1] === 0xff) return true;
  }
  return false;
}

function isAnimated(bytes, mime) {
  const start = text(bytes, 0, 4096);
  if (mime === 'image/png') return start.includes('acTL') && start.indexOf('acTL') < start.indexOf('IDAT');
  if (mime === 'image/webp') return start.slice(12, 16) === 'VP8X' && (bytes[20] & 2) !== 0;
  if (mime === 'image/avif') return start.slice(8, 12) === 'avis';
  return mime === 'image/gif' && countGifFrames(bytes) > 1;
}

/** Counts the frames of a GIF, up to two. */
function countGifFrames(bytes) {
  let at = 13 + colorTable(bytes[10]);
  let count = 0;
  while (at < bytes.length && count < 2) {
    const block = bytes[at];
    if (block === 0x2c) {
      count++;
      at += 11 + colorTable(bytes[at + 9]);
    } else if (block === 0x21) {
      at += 2;
    } else {
      break;
    }
    while (bytes[at] > 0) at += 1 + bytes[at];
    at += 1;
  }
  return count;
}

const colorTable = flags => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
