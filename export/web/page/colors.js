// Mixtures of a photo and its cartoon, with the same results as `cartoonize`. Pictures are RGBA, as in ImageData.

// From linear sRGB to XYZ relative to the white point D65, by rows, and back.
const TO_X = [0.412453 / 0.950456, 0.35758 / 0.950456, 0.180423 / 0.950456];
const TO_Y = [0.212671, 0.71516, 0.072169];
const TO_Z = [0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754];
const TO_RED = [3.240479 * 0.950456, -1.53715, -0.498535 * 1.088754];
const TO_GREEN = [-0.969256 * 0.950456, 1.875991, 0.041556 * 1.088754];
const TO_BLUE = [0.055648 * 0.950456, -0.204043, 1.057311 * 1.088754];

const LINEAR = Float32Array.from({length: 256}, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
const LEVELS = Uint8ClampedArray.from({length: 65536}, (_, i) => {
  const value = i / 65535;
  return 255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
});
const CUBE_ROOT_FROM = 0.008856; // CIELAB is linear below

/** Mixes a photo and its cartoon of the same size: strength 1 is the cartoon, 0 the photo. Returns a new picture. */
export function blend(photo, cartoon, strength, keepColors) {
  const result = new ImageData(new Uint8ClampedArray(cartoon.data), cartoon.width, cartoon.height);
  if (keepColors) takeColors(result.data, photo.data);
  if (strength < 1) {
    for (let i = 0; i < result.data.length; i++) {
      result.data[i] = strength * result.data[i] + (1 - strength) * photo.data[i];
    }
  }
  return result;
}

/** Gives the cartoon, in place, the photo's colours: its own L, and the photo's a and b of CIELAB. */
function takeColors(cartoon, photo) {
  for (let i = 0; i < cartoon.length; i += 4) {
    const lightness = curve(dot(TO_Y, cartoon, i));
    const own = curve(dot(TO_Y, photo, i));
    const x = uncurve(lightness + curve(dot(TO_X, photo, i)) - own);
    const y = uncurve(lightness);
    const z = uncurve(lightness + curve(dot(TO_Z, photo, i)) - own);
    cartoon[i] = toLevel(TO_RED[0] * x + TO_RED[1] * y + TO_RED[2] * z);
    cartoon[i + 1] = toLevel(TO_GREEN[0] * x + TO_GREEN[1] * y + TO_GREEN[2] * z);
    cartoon[i + 2] = toLevel(TO_BLUE[0] * x + TO_BLUE[1] * y + TO_BLUE[2] * z);
  }
}

const dot = (row, data, i) => row[0] * LINEAR[data[i]] + row[1] * LINEAR[data[i + 1]] + row[2] * LINEAR[data[i + 2]];
const curve = value => value > CUBE_ROOT_FROM ? Math.cbrt(value) : 7.787 * value + 16 / 116;
const uncurve = value => value > 7.787 * CUBE_ROOT_FROM + 16 / 116 ? value ** 3 : (value - 16 / 116) / 7.787;
const toLevel = linear => LEVELS[Math.round(65535 * Math.min(Math.max(linear, 0), 1))];

/** Makes a picture opaque, in place, and white where nothing can be seen. Returns its alpha; null if it was opaque. */
export function takeAlpha({data}) {
  let alpha = null;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255) continue;
    alpha ??= Uint8Array.from({length: data.length / 4}, (_, pixel) => data[pixel * 4 + 3]);
    if (data[i + 3] === 0) data.fill(255, i, i + 3);
    data[i + 3] = 255;
  }
  return alpha;
}

/** Gives a picture its alpha back, in place, or lays it over white for a format without alpha. */
export function putAlpha({data}, alpha, keepsAlpha) {
  for (let pixel = 0, i = 0; pixel < alpha.length; pixel++, i += 4) {
    if (keepsAlpha) {
      data[i + 3] = alpha[pixel];
    } else {
      const share = alpha[pixel] / 255;
      for (let c = i; c < i + 3; c++) data[c] = share * data[c] + (1 - share) * 255;
    }
  }
}
