// Sizes of pictures, as `cartoonize` computes them. Pictures are RGBA, as in ImageData.

/** Returns the width and height of a picture whose longer side is at most `longSide` pixels. */
export function sizeWithin({width, height}, longSide) {
  const scale = Math.min(1, longSide / Math.max(width, height));
  return {width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale))};
}

/** Shrinks a picture to a width and height, by the mean of the area that each pixel covers. */
export function shrink(picture, {width, height}) {
  if (picture.width === width && picture.height === height) return picture;
  const columns = areas(picture.width, width);
  const rows = areas(picture.height, height);
  const result = new ImageData(width, height);
  const row = new Float32Array(width * 4);
  const sum = new Float32Array(width * 4);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (const [from, share] of rows[y]) {
      shrinkRow(picture.data, from * picture.width * 4, columns, row);
      for (let i = 0; i < row.length; i++) sum[i] += share * row[i];
    }
    result.data.set(sum, y * width * 4); // a clamped array rounds
  }
  return result;
}

/** Returns, for each pixel of a side, the pixels of the longer side that it covers, with their shares. */
function areas(from, to) {
  const scale = from / to;
  return Array.from({length: to}, (_, i) => {
    const covered = [];
    const end = Math.min((i + 1) * scale, from);
    for (let j = Math.floor(i * scale); j < end - 1e-6; j++) {
      covered.push([j, (Math.min(j + 1, end) - Math.max(j, i * scale)) / scale]);
    }
    return covered;
  });
}

function shrinkRow(data, start, columns, row) {
  for (let x = 0; x < columns.length; x++) {
    let red = 0, green = 0, blue = 0, alpha = 0;
    for (const [from, share] of columns[x]) {
      const at = start + from * 4;
      red += share * data[at];
      green += share * data[at + 1];
      blue += share * data[at + 2];
      alpha += share * data[at + 3];
    }
    row[x * 4] = red;
    row[x * 4 + 1] = green;
    row[x * 4 + 2] = blue;
    row[x * 4 + 3] = alpha;
  }
}

/** Returns the index that reflection at the borders, without repeating them, gives to one outside. */
export function reflect(i, length) {
  if (length === 1) return 0;
  const period = 2 * length - 2;
  const position = ((i % period) + period) % period;
  return Math.min(position, period - position);
}
