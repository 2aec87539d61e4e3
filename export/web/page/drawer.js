// The page's side of worker.js: requests, their cancellation, and new workers for those that fail.

import {Problem} from './decoding.js';

const FULL_SIZE_BYTES = 40; // for each pixel of a photo: it, its cartoon, the result and the file's encoder
const UNKNOWN_MEMORY_GB = 2; // Safari and Firefox do not tell
const MAX_PIXELS = 100e6;
const MAX_DRAWING_BYTES = 2e9; // half of what a 32-bit runtime can address
const MIN_PIXELS = 1e6;

export class Drawer {
  /** `onStart` is told how each worker runs: {accelerator, threads, gpuProblem}. */
  constructor({threads, backend, style}, onStart) {
    const memory = (navigator.deviceMemory ?? UNKNOWN_MEMORY_GB) * 2 ** 30;
    this.options = {threads, backend, style};
    this.onStart = onStart;
    this.limits = {
      pixels: Math.min(memory / 4 / FULL_SIZE_BYTES, MAX_PIXELS),
      bytes: Math.min(memory / 4, MAX_DRAWING_BYTES),
    };
    this.number = 0;
    this.restart();
  }

  /** Stops everything at once: what was asked for fails with the Problem 'canceled'. */
  restart() {
    this.worker?.terminate();
    const stopped = [...this.waiting?.values() ?? []];
    this.waiting = new Map();
    this.worker = new Worker('worker.js');
    this.worker.onmessage = ({data}) => this.receive(data);
    this.worker.onerror = event => this.fail(event.message);
    this.hasFailed = false;
    this.started = this.ask('start', {...this.options, limits: this.limits});
    this.started.then(this.onStart, () => this.hasFailed = true);
    stopped.forEach(({reject}) => reject(new Problem('canceled')));
  }

  /** Asks for a task of worker.js; throws Problem. */
  async request(task, options, onProgress) {
    if (this.hasFailed) this.restart();
    await this.started;
    return this.ask(task, options, onProgress);
  }

  ask(task, options, onProgress = () => {}) {
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, {resolve, reject, onProgress});
      this.worker.postMessage({number, task, options}, options.bitmap ? [options.bitmap] : []);
    });
  }

  receive({number, result, problem, share}) {
    const request = this.waiting.get(number);
    if (share !== undefined) {
      request?.onProgress(share);
      return;
    }
    this.waiting.delete(number);
    if (problem?.name === 'outOfMemory') this.fail(problem.details.message);
    if (problem) request?.reject(new Problem(problem.name, problem.details));
    else request?.resolve(result);
  }

  /** Replaces a worker that failed, most likely for lack of memory, by one that takes half as much. */
  fail(message) {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    this.hasFailed = true; // the next request starts a new one
    this.worker.terminate();
    const half = Math.max(this.limits.pixels / 2, MIN_PIXELS) / this.limits.pixels;
    this.limits = {pixels: this.limits.pixels * half, bytes: this.limits.bytes * half};
    waiting.forEach(({reject}) => reject(new Problem('outOfMemory', {message})));
  }
}
