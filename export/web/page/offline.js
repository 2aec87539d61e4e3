// The page's side of service_worker.js, which keeps the page for visits without a network.

const PATIENCE_MS = 5000;

/**
 * Registers the service worker, and waits until it sees all that the page loads.
 *
 * A page whose server does not isolate it is loaded again, once, by the service worker, which does: threads need that.
 */
export async function startOffline() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register('service_worker.js');
    await Promise.race([controlled(), new Promise(resolve => setTimeout(resolve, PATIENCE_MS))]);
  } catch {
    return; // a browser without storage draws all the same
  }
  if (self.crossOriginIsolated || !navigator.serviceWorker.controller || sessionStorage.getItem('isolated')) return;
  sessionStorage.setItem('isolated', 'tried');
  location.reload();
  await new Promise(() => {}); // nothing else is loaded twice
}

function controlled() {
  if (navigator.serviceWorker.controller) return Promise.resolve();
  return new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, {once: true}));
}
