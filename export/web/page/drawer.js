// The page's side of worker.js: requests, their cancellation, and new workers for those that fail.

import {Problem} from './decoding.js';

const FULL_SIZE_BYTES = 40; // for each pixel of a photo: it, its cartoon, the result and the file's encoder
const UNKNOWN_MEMORY_GB = 2; // Safari and Firefox do not tell
const MAX_PIXELS = 100e6;
const MAX_DRAWING_BYTES = 2e9; // half of what a 32-bit runtime can address

export class Drawer {
  constructor({threads, backend, style}) {
    const memory = (navigator.deviceMemory ?? UNKNOWN_MEMORY_GB) * 2 ** 30;
    this.options = {threads, backend, style};
    this.limits = {pixels: Math.min(memory / 4 / FULL_SIZE_BYTES, MAX_PIXELS), bytes: Math.min(memory / 4, MAX_DRAWING_BYTES)};
    this.restart();
  }

  /** Stops everything at once: what was asked for fails with the Problem 'canceled'. */
  restart() {
    this.worker?.terminate();
    this.waiting?.forEach(({reject}) => reject(new Problem('canceled')));
    this.waiting = new Map();
    this.worker = new Worker('worker.js');
    this.worker.onmessage = ({data}) => this.receive(data);
    this.worker.onerror = event => this.fail(event.message);
    this.started = this.ask('start', {...this.options, limits: this.limits});
    this.started.catch(() => {}); // whoever asks for a drawing is told
  }

  /** Asks for a task of worker.js; throws Problem. */
  async request(task, options, onProgress) {
    await this.started;
    return this.ask(task, options, onProgress);
  }

  ask(task, options, onProgress = () => {}) {
    const number = this.number = (this.number ?? 0) + 1;
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
    if (problem) request?.reject(new Problem(problem.name, problem.details));
    else request?.resolve(result);
    if (problem?.name === 'drawingFailed') this.fail(problem.details.message);
  }

  /** Replaces a worker that failed, most likely for lack of memory, by one that takes half as much. */
  fail(message) {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    this.limits = {pixels: this.limits.pixels / 2, bytes: this.limits.bytes / 2};
    if (this.limits.bytes > 2 ** 24) this.restart();
    waiting.forEach(({reject}) => reject(new Problem('drawingFailed', {message})));
  }
}
