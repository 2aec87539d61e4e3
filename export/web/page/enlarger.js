// A worker that enlarges rows of a cartoon for `enlarging.js`.

import {enlargeRows} from './enlargement.js';

self.onmessage = ({data: {cartoon, size, start, end}}) => {
  const rows = enlargeRows(cartoon, size, start, end);
  self.postMessage({rows}, [rows.buffer]);
};
