// The runtime of .tflite files, LiteRT.js, in a worker.

import {isWebGPUSupported, loadAndCompile, loadLiteRt, supportsFeature, Tensor} from '@litertjs/core';
import {Problem} from './decoding.js';

const FOLDER = new URL('runtime/', self.location.href).href;
const TEST_SIDE = 64;
const MAX_DIFFERENCE = 0.02; // of values in [-1, 1]: two and a half grey levels
export const MULTIPLE = 4; // sides of the model's pictures, from 8 up
// The signatures of a file, as in cartoongan_tf/inference/tflite_model.py.
const PICTURE = 'serving_default';
const FILM = 'film';

export class Runtime {
  /** Loads the runtime. `threads` is their number, or 0 for all; `backend` is 'cpu', 'webgpu', or '' for the best. */
  static async start({threads, backend}, style) {
    const runtime = new Runtime();
    const canShare = self.crossOriginIsolated && await supportsFeature('relaxedSimd');
    runtime.threads = canShare ? threads || navigator.hardwareConcurrency || 1 : 1;
    self.Module = {
      locateFile: name => FOLDER + name,
      mainScriptUrlOrBlob: `${FOLDER}litert_wasm_threaded_internal.js`,
      printErr: () => {}, // LiteRT reports its progress as errors
    };
    try {
      await loadLiteRt(FOLDER, {threads: runtime.threads > 1});
    } catch (error) {
      throw new Problem('runtimeMissing', {message: error.message});
    }
    runtime.accelerator = 'wasm';
    if (backend === 'webgpu' || (!backend && await hasGpu())) await runtime.tryGpu(style, backend === 'webgpu');
    return runtime;
  }

  /** Changes to WebGPU if it draws what the CPU draws. Throws Problem if it does not and must. */
  async tryGpu(style, must) {
    const photo = Float32Array.from({length: TEST_SIDE ** 2 * 3}, (_, i) => Math.sin(i / 7) * Math.cos(i / 1009));
    const size = {width: TEST_SIDE, height: TEST_SIDE};
    const onCpu = await this.draw(style, photo, size);
    this.forget();
    this.accelerator = 'webgpu';
    try {
      if (!isWebGPUSupported()) throw new Error('no WebGPU');
      const onGpu = await this.draw(style, photo, size);
      if (!this.model.isFullyAccelerated) throw new Error('not all operators run');
      const difference = onGpu.reduce((most, value, i) => Math.max(most, Math.abs(value - onCpu[i])), 0);
      if (!(difference < MAX_DIFFERENCE)) throw new Error(`differs by ${difference}`);
    } catch (error) {
      if (must) throw new Problem('gpuFailed', {message: error.message});
      this.gpuProblem = error.message;
      this.accelerator = 'wasm';
    }
    this.forget();
  }

  /** Draws a photo: float RGB [height, width, 3] in [-1, 1] -> the same. Sides are multiples of 4 from 8 up. */
  async draw(style, photo, size) {
    await this.prepare(style, size);
    const [cartoon] = await this.run(PICTURE, [tensorOf(photo, size)], [0]);
    return cartoon;
  }

  /** Draws a frame of a film; a style with norms keeps a share of their statistics, 0 at first, from the one before. */
  async drawFrame(style, photo, size, keep) {
    await this.prepare(style, size);
    const film = this.model.signatures[FILM];
    if (!film) return this.draw(style, photo, size);
    const shape = [...film.getInputDetails().find(({name}) => name === 'statistics').shape];
    const isSameFilm = keep > 0 && this.statistics?.style === style.name;
    const before = isSameFilm ? this.statistics.values : new Float32Array(shape.reduce((a, b) => a * b));
    const inputs = {
      photo: tensorOf(photo, size),
      statistics: new Tensor(before, shape),
      keep: new Tensor(Float32Array.of(isSameFilm ? keep : 0), [1]),
    };
    const [cartoon, values] = await this.run(FILM, inputs, ['cartoon', 'statistics']);
    this.statistics = {style: style.name, values};
    return cartoon;
  }

  /** Runs a signature, and returns the values of the outputs of these names, or places. */
  async run(signature, inputs, names) {
    const outputs = await this.model.run(signature, inputs);
    const results = [];
    for (const name of names) {
      const output = await outputs[name].moveTo('wasm');
      results.push(output.toTypedArray().slice());
      output.delete();
    }
    Object.values(inputs).forEach(input => input.delete());
    return results;
  }

  /** Compiles a style's file for a size; one model is held at a time. */
  async prepare(style, {width, height}) {
    const key = `${style.name} ${width}x${height}`;
    if (this.key === key) return;
    this.forget();
    const bytes = await bytesOf(style);
    // LiteRT.js cannot change the shape of a tensor, so the file itself gets the size.
    const numbers = new DataView(bytes.buffer);
    for (const offset of style.shape_offsets) {
      [1, height, width, 3].forEach((side, i) => numbers.setInt32(offset + 4 * i, side, true));
    }
    this.model = await loadAndCompile(bytes, {
      accelerator: this.accelerator,
      cpuOptions: {numThreads: this.threads},
      gpuOptions: {precision: 'fp32'},
    });
    this.key = key;
  }

  forget() {
    this.model?.delete();
    this.model = this.key = null;
  }
}

const tensorOf = (values, {width, height}) => new Tensor(values, [1, height, width, 3]);

async function hasGpu() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return Boolean(adapter) && !(adapter.info ?? adapter).isFallbackAdapter;
}

const loaded = new Map(); // the files of styles, by name

/** Returns a copy of a style's file, to write into; throws Problem if it cannot be loaded. */
export async function bytesOf(style) {
  if (!loaded.has(style.name)) {
    const response = await fetch(style.file).catch(() => null);
    if (!response?.ok) throw new Problem('styleMissing', {style: style.name});
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Pages without https have no crypto.
    if (crypto.subtle && await hashOf(bytes) !== style.sha256) throw new Problem('newVersion');
    loaded.set(style.name, bytes);
  }
  return loaded.get(style.name).slice();
}

async function hashOf(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('');
}
