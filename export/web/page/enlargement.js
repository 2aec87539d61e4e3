// The enlargement of cartoons with crisp lines, with the same results as `cartoonize`, one part after another.

import {reflect} from './resizing.js';

// Lengths in pixels of the small picture, as in cartoongan_tf/media/enlargement.py, which explains the method.
const STEP_BLUR = 0.6;
const CURVATURE_BLUR = 0.5;
const SHOCK_RADIUS = 1;
const FULL_SHOCK_LEVELS = 2;
const ANTIALIASING = 0.5; // pixels of the large picture
const SHARES = 2048; // of linear interpolation

/** Returns rows `start` to `end` of an opaque cartoon, RGBA, that is enlarged to a width and height: RGBA, too. */
export function enlargeRows(cartoon, {width, height}, start, end) {
  const factor = Math.max(height / cartoon.height, width / cartoon.width);
  const reach = Math.ceil((SHOCK_RADIUS + 4 * (STEP_BLUR + CURVATURE_BLUR)) * factor + 4);
  const top = Math.max(0, start - reach);
  const bottom = Math.min(height, end + reach);
  const sharp = sharpen(interpolate(cartoon, width, height, top, bottom), width, bottom - top, factor);
  const result = new Uint8ClampedArray((end - start) * width * 4).fill(255);
  for (let i = (start - top) * width * 3, o = 0; o < result.length; o += 4) {
    for (let c = 0; c < 3; c++) result[o + c] = sharp[i++];
  }
  return result;
}

/** Returns rows `top` to `bottom` of the picture in its new size, RGB, by linear interpolation in OpenCV's integers. */
function interpolate(picture, width, height, top, bottom) {
  const {data} = picture;
  const columns = Array.from({length: width}, (_, x) => neighbours(x, picture.width / width, picture.width));
  const result = new Float32Array((bottom - top) * width * 3);
  let at = 0;
  for (let y = top; y < bottom; y++) {
    const [above, below, upperShare, lowerShare] = neighbours(y, picture.height / height, picture.height);
    const upper = above * picture.width;
    const lower = below * picture.width;
    for (const [left, right, leftShare, rightShare] of columns) {
      for (let c = 0; c < 3; c++) {
        const inUpper = data[(upper + left) * 4 + c] * leftShare + data[(upper + right) * 4 + c] * rightShare;
        const inLower = data[(lower + left) * 4 + c] * leftShare + data[(lower + right) * 4 + c] * rightShare;
        result[at++] = (((upperShare * (inUpper >> 4)) >> 16) + ((lowerShare * (inLower >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return result;
}

/** Returns the two pixels between which a pixel of the larger side lies, and their shares of SHARES. */
function neighbours(i, scale, length) {
  const position = Math.fround((i + 0.5) * scale - 0.5);
  const first = Math.floor(position);
  const share = roundToEven((position - first) * SHARES);
  const inside = index => Math.min(Math.max(index, 0), length - 1);
  return [inside(first), inside(first + 1), SHARES - share, share];
}

/** Makes the edges of a picture that was enlarged by a factor smooth and narrow, by a shock filter. */
function sharpen(large, width, height, factor) {
  const smooth = new Float32Array(large.length);
  blur(large, width, height, inLevels(gaussian(STEP_BLUR * factor, 3)), smooth, true);
  const blurred = new Float32Array(large.length);
  blur(smooth, width, height, gaussian(CURVATURE_BLUR * factor, 4), blurred, false);
  const levels = new Uint8Array(large.length);
  const inverted = new Uint8Array(large.length);
  for (let i = 0; i < large.length; i++) {
    levels[i] = smooth[i];
    inverted[i] = 255 - smooth[i];
  }
  const disc = discOf(Math.ceil(SHOCK_RADIUS * factor));
  const largest = windowsOf(levels, width, height, disc);
  const smallest = windowsOf(inverted, width, height, disc);
  const curvature = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    curve(blurred, width, height, y, factor, curvature);
    for (let x = 0, i = y * width * 3, at = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++, at++) {
        const share = Math.min(Math.abs(curvature[at]), 1);
        if (share * 255 < 0.5) continue; // not half a level
        const level = curvature[at] < 0
          ? largestAround(largest, width, height, x, y, c, disc)
          : 255 - largestAround(smallest, width, height, x, y, c, disc);
        smooth[i] = roundToEven(levels[i] + share * (level - levels[i]));
      }
    }
  }
  blur(smooth, width, height, inLevels(gaussian(ANTIALIASING, 3)), blurred, true);
  return blurred;
}

/** Writes the curvature of a row, in levels from which a value moves all the way, as OpenCV's Laplacian measures it. */
function curve(values, width, height, y, factor, curvature) {
  const row = y * width * 3;
  const above = reflect(y - 1, height) * width * 3;
  const below = reflect(y + 1, height) * width * 3;
  const scale = factor * factor / FULL_SHOCK_LEVELS;
  for (let x = 0, at = 0; x < width; x++) {
    const left = x > 0 ? -3 : reflect(-1, width) * 3;
    const right = x < width - 1 ? 3 : (reflect(width, width) - x) * 3;
    for (let c = 0; c < 3; c++, at++) {
      const corners = values[above + at + left] + values[above + at + right]
        + values[below + at + left] + values[below + at + right];
      curvature[at] = (2 * corners - 8 * values[row + at]) * scale;
    }
  }
}

/** Returns the half widths of a disc's rows, as OpenCV's elliptic structuring element. */
function discOf(radius) {
  const row = (_, i) => roundToEven(Math.sqrt(radius ** 2 - (i - radius) ** 2));
  return Array.from({length: 2 * radius + 1}, row);
}

/** Returns the largest of 1, 2, 4 .. values of a row from each on, up to the width of a disc. */
function windowsOf(values, width, height, disc) {
  const results = [values];
  for (let length = 1; length * 2 <= disc.length; length *= 2) {
    const shorter = results.at(-1);
    const longer = new Uint8Array(values.length);
    for (let y = 0; y < height; y++) {
      const last = ((y + 1) * width - length) * 3;
      for (let i = y * width * 3; i < last; i++) {
        const first = shorter[i];
        const second = shorter[i + length * 3];
        longer[i] = first > second ? first : second;
      }
    }
    results.push(longer);
  }
  return results;
}

/** Returns the largest value in the disc around a pixel: in each row of it, of two windows that cover the row. */
function largestAround(windows, width, height, x, y, c, disc) {
  const radius = disc.length >> 1;
  const end = Math.min(height - 1, y + radius);
  let most = 0;
  for (let row = Math.max(0, y - radius); row <= end; row++) {
    const half = disc[row - y + radius];
    const from = Math.max(0, x - half);
    const length = Math.min(width - 1, x + half) - from + 1;
    const level = 31 - Math.clz32(length);
    const values = windows[level];
    const first = (row * width + from) * 3 + c;
    const left = values[first];
    const right = values[first + (length - (1 << level)) * 3];
    if (left > most) most = left;
    if (right > most) most = right;
  }
  return most;
}

/** Blurs RGB values by a symmetric kernel, given from its middle on, into an array; reflects at borders. */
function blur(values, width, height, kernel, result, toLevels) {
  const weights = Float64Array.from(kernel.length % 2 ? kernel : [...kernel, 0]); // they are taken two at a time
  const radius = weights.length - 1;
  const stride = width * 3;
  const row = new Float64Array(stride);
  const padded = new Float32Array((width + 2 * radius) * 3);
  for (let y = 0; y < height; y++) {
    addNeighbours(row, values, weights, k => reflect(y + k, height) * stride);
    padded.set(row, radius * 3);
    for (let x = 0; x < radius; x++) {
      for (let c = 0; c < 3; c++) {
        padded[x * 3 + c] = row[reflect(x - radius, width) * 3 + c];
        padded[(radius + width + x) * 3 + c] = row[reflect(width + x, width) * 3 + c];
      }
    }
    addNeighbours(row, padded, weights, k => (radius + k) * 3);
    for (let i = 0, out = y * stride; i < stride; i++) result[out + i] = toLevels ? Math.floor(row[i] + 0.5) : row[i];
  }
}

/** Writes the weighted sums of neighbours into a row; `place` tells where those at a distance begin. */
function addNeighbours(row, values, weights, place) {
  const middle = place(0);
  const own = weights[0];
  for (let i = 0; i < row.length; i++) row[i] = own * values[middle + i];
  for (let k = 1; k < weights.length; k += 2) {
    const [before, after, farBefore, farAfter] = [place(-k), place(k), place(-k - 1), place(k + 1)];
    const near = weights[k];
    const far = weights[k + 1];
    for (let i = 0; i < row.length; i++) {
      row[i] += near * (values[before + i] + values[after + i]) + far * (values[farBefore + i] + values[farAfter + i]);
    }
  }
}

/** Returns one half of a Gaussian, from its middle on, cut off at `cut` standard deviations of `sigma` pixels. */
function gaussian(sigma, cut) {
  const radius = roundToEven(2 * cut * sigma + 1) >> 1;
  const kernel = Array.from({length: radius + 1}, (_, i) => Math.exp(-(i ** 2) / (2 * sigma ** 2)));
  const total = 2 * kernel.reduce((sum, weight) => sum + weight) - kernel[0];
  return kernel.map(weight => weight / total);
}

/** Returns a kernel in parts of 256, as OpenCV takes it for levels: each weight passes its error on to the next one. */
function inLevels(kernel) {
  let error = 0;
  let rest = 256;
  const rounded = kernel.slice(1).reverse().map(weight => {
    const exact = weight * 256 + error;
    const whole = roundToEven(exact);
    error = exact - whole;
    rest -= 2 * whole;
    return whole / 256;
  });
  return [rest / 256, ...rounded.reverse()];
}

function roundToEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
