// The camera on the page.

import {Camera} from './camera.js';
import {Problem} from './decoding.js';
import {stage, paint} from './stage.js';
import {at, report, showProblem} from './status.js';
import {say} from './texts.js';

let camera = null;

export const live = {
  /** Starts the camera; throws Problem if there is none, or the visitor says no. */
  async start() {
    if (camera) return;
    const mine = new Camera({
      video: at('video'),
      canvas: at('live-canvas'),
      draw: (bitmap, isFirst) => stage.drawer.request('frame', {bitmap, isFirst, ...stage.taste()}),
      onRate: (side, rate) => at('live-rate').textContent = say('cameraRate', {side, rate: Math.round(rate)}),
    });
    camera = mine;
    try {
      await mine.start();
    } catch (error) {
      if (camera === mine) live.stop();
      throw error;
    }
    if (camera !== mine) return; // stopped meanwhile
    stage.cover(true);
    at('live').hidden = false;
    at('camera-stop').focus();
    report('');
    mine.show().then(() => new Problem('cameraEnded'), error => error).then(problem => {
      if (camera !== mine) return;
      live.stop();
      showProblem(problem);
    });
  },

  stop() {
    if (!camera) return;
    camera.stop();
    camera = null;
    at('live').hidden = true;
    stage.cover(false);
  },

  /** Returns what the camera sees as a file, and stops it. */
  async takeSnapshot() {
    at('snapshot').disabled = true;
    try {
      const canvas = document.createElement('canvas');
      paint(await camera.grab(), canvas);
      live.stop();
      const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
      return new File([blob], 'camera.png');
    } finally {
      at('snapshot').disabled = false;
    }
  },
};
