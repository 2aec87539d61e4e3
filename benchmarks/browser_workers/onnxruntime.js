// Runs a style in onnxruntime-web, which is served beside this file.

import * as ort from '/ort/ort.wasm.min.mjs';

let session;

self.onmessage = async ({data: {threads, side, seed}}) => {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/ort/';
  session ??= await ort.InferenceSession.create('/style.onnx', {executionProviders: ['wasm']});
  const photo = Float32Array.from({length: side * side * 3}, (_, i) => Math.sin(i * seed));
  const start = performance.now();
  await session.run({[session.inputNames[0]]: new ort.Tensor('float32', photo, [1, side, side, 3])});
  self.postMessage(performance.now() - start);
};
