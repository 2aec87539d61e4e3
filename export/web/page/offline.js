// The page's side of service_worker.js, which keeps the page for visits without a network.

import {report} from './status.js';
import {say} from './texts.js';

const PATIENCE_MS = 5000;

/**
 * Registers the service worker, and waits until it sees all that the page loads.
 *
 * A page whose server does not isolate it is loaded again, once, by the service worker, which does: threads need that.
 * A new version is loaded at once if the page is not in use, which `isInUse` tells.
 */
export async function startOffline(isInUse) {
  const {serviceWorker} = navigator;
  if (!serviceWorker) return;
  const isFirstVisit = !serviceWorker.controller;
  try {
    await serviceWorker.register('service_worker.js');
    if (isFirstVisit) await Promise.race([controlled(), new Promise(resolve => setTimeout(resolve, PATIENCE_MS))]);
  } catch {
    return; // a browser without storage draws all the same
  }
  if (serviceWorker.controller) {
    serviceWorker.addEventListener('controllerchange', () => isInUse() ? report(say('newVersion')) : location.reload());
  }
  const isTried = sessionStorage.getItem('isolation');
  if (self.crossOriginIsolated || !serviceWorker.controller || isTried || isInUse()) return;
  sessionStorage.setItem('isolation', 'tried');
  location.reload();
  await new Promise(() => {}); // nothing else is loaded twice
}

function controlled() {
  if (navigator.serviceWorker.controller) return Promise.resolve();
  return new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, {once: true}));
}
