// A camera, drawn live at the largest size that keeps ten frames a second.

import {Problem} from './decoding.js';

const SIDES = [64, 96, 128, 160, 192, 256, 320, 384, 512, 640]; // longer sides in pixels
const FIRST_LEVEL = 3;
const FRAME_MS = 100;
const FRAMES_TO_JUDGE = 5;

export class Camera {
  /**
   * `draw` draws a bitmap, told whether it is the first one, and returns its cartoon.
   * `onRate` is told the longer side and the frames a second.
   */
  constructor({video, canvas, draw, onRate}) {
    Object.assign(this, {video, canvas, draw, onRate, level: FIRST_LEVEL, times: [], isStopped: false});
  }

  /** Starts the camera; throws Problem if there is none, or the visitor says no. */
  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 1280}, height: {ideal: 720}}});
    } catch (error) {
      throw new Problem(error.name === 'NotAllowedError' ? 'cameraRefused' : 'noCamera');
    }
    if (this.isStopped) {
      this.stop();
      return;
    }
    for (const track of this.stream.getTracks()) track.onended = () => this.stop();
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  stop() {
    this.isStopped = true;
    this.stream?.getTracks().forEach(track => track.stop());
    if (this.stream && this.video.srcObject === this.stream) this.video.srcObject = null;
  }

  /** Draws frames until the camera stops. */
  async show() {
    let before = performance.now();
    for (let isFirst = true; !this.isStopped; isFirst = false) {
      const cartoon = await this.draw(await this.grab(SIDES[this.level]), isFirst);
      this.canvas.width = cartoon.width;
      this.canvas.height = cartoon.height;
      this.canvas.getContext('2d').drawImage(cartoon, 0, 0);
      cartoon.close();
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      this.judge(now - before);
      before = now;
    }
  }

  /** Returns the picture that the camera sees now, at most `longSide` pixels long. */
  grab(longSide = Infinity) {
    const {videoWidth, videoHeight} = this.video;
    const scale = Math.min(1, longSide / Math.max(videoWidth, videoHeight));
    const side = length => Math.max(8, Math.round(length * scale / 4) * 4);
    return createImageBitmap(this.video, {resizeWidth: side(videoWidth), resizeHeight: side(videoHeight)});
  }

  /** Changes the size after a few frames that took too long, or that leave time for the next one. */
  judge(time) {
    this.times.push(time);
    if (this.times.length < FRAMES_TO_JUDGE) return;
    const median = this.times.toSorted((a, b) => a - b)[FRAMES_TO_JUDGE >> 1];
    this.times = [];
    this.onRate(SIDES[this.level], 1000 / median);
    const next = SIDES[this.level + 1];
    const grown = next ? median * (next / SIDES[this.level]) ** 2 : Infinity;
    if (median > FRAME_MS && this.level > 0) this.level--;
    else if (grown < FRAME_MS) this.level++;
  }
}
