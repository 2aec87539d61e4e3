// Enlarges a cartoon on all cores: its rows are divided among workers.

const ROWS = 256; // for one worker at a time, which bounds the memory
const MAX_WORKERS = 4;

/** Enlarges an opaque cartoon, RGBA, to a width and height. `report` is told the completed share. */
export async function enlarge(cartoon, {width, height}, report) {
  if (cartoon.width === width && cartoon.height === height) return cartoon;
  const result = new ImageData(width, height);
  const starts = Array.from({length: Math.ceil(height / ROWS)}, (_, i) => i * ROWS);
  let done = 0;
  const work = async () => {
    const worker = new Worker('enlarger.js');
    try {
      while (starts.length) {
        const start = starts.shift();
        const end = Math.min(height, start + ROWS);
        const rows = await ask(worker, {cartoon, size: {width, height}, start, end});
        result.data.set(rows, start * width * 4);
        done += end - start;
        report(done / height);
      }
    } finally {
      worker.terminate();
    }
  };
  const numWorkers = Math.min(navigator.hardwareConcurrency || 1, MAX_WORKERS, starts.length);
  await Promise.all(Array.from({length: numWorkers}, work));
  return result;
}

function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => resolve(data.rows);
    worker.onerror = event => reject(new Error(event.message || 'a worker did not start'));
    worker.postMessage(message);
  });
}
