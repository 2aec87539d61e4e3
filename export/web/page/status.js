// What the page tells the visitor: its state, its sentences, and problems, after which it goes on.

import {Problem} from './decoding.js';
import {say} from './texts.js';

export const at = id => document.getElementById(id);

export function report(text) {
  at('status').textContent = text;
}

/** Shows that the page is at work, with the completed share if it is known, or that it is not. */
export function busy(isBusy, share) {
  document.body.dataset.state = isBusy ? 'busy' : 'ready';
  at('cancel').hidden = at('progress').hidden = !isBusy;
  if (share === undefined) at('progress').removeAttribute('value');
  else at('progress').value = share;
}

/** Returns a function that does the work, and tells the visitor of a problem. */
export function attempt(work) {
  return async (...args) => {
    at('problem').textContent = '';
    try {
      await work(...args);
    } catch (error) {
      showProblem(error);
    }
  };
}

export function showProblem(error) {
  busy(false);
  if (error.name === 'canceled') {
    report(say('canceled'));
    return;
  }
  report('');
  document.body.dataset.state = 'problem';
  const isKnown = error instanceof Problem;
  at('problem').textContent = isKnown ? say(error.name, error.details) : say('unexpected', {message: error.message});
}
