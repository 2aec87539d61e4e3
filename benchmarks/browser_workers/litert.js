// Runs a style in the page's own runtime.

import {Runtime} from '../../export/web/page/runtime.js';

let runtime;

self.onmessage = async ({data: {style, threads, side, seed}}) => {
  runtime ??= await Runtime.start({threads, backend: 'cpu'}, style);
  const photo = Float32Array.from({length: side * side * 3}, (_, i) => Math.sin(i * seed));
  const size = {width: side, height: side};
  await runtime.prepare(style, size);
  const start = performance.now();
  await runtime.draw(style, photo, size);
  self.postMessage(performance.now() - start);
};
