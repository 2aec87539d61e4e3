// Keeps all that the page has loaded, and isolates the page from others where its server does not.

const VERSION = 'VERSION'; // the export writes the hash of all files here
const SCOPE = self.registration.scope;
const CACHE = `${SCOPE} ${VERSION}`; // other pages of the host have caches of their own
const PAGE = [
  './', 'app.js', 'style.css', 'worker.js', 'enlarger.js', 'styles.json', 'manifest.webmanifest', 'icon-192.png',
  'LICENSES.txt',
];
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

self.addEventListener('install', event => event.waitUntil(install()));
self.addEventListener('activate', event => event.waitUntil(activate()));
self.addEventListener('fetch', event => {
  const {method, url} = event.request;
  if (method === 'GET' && url.startsWith(SCOPE)) event.respondWith(answer(event.request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(PAGE.map(path => new Request(path, {cache: 'no-cache'})));
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter(name => name.startsWith(`${SCOPE} `) && name !== CACHE);
  await Promise.all(old.map(name => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  const path = new URL(request.url).pathname;
  const isPage = path === new URL(SCOPE).pathname || path.endsWith('/index.html');
  const key = isPage ? './' : request;
  let response = await cache.match(key, {ignoreSearch: true});
  if (!response) {
    response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone()).catch(() => {}); // a full disk
  }
  const headers = new Headers(response.headers);
  Object.entries(ISOLATION).forEach(([name, value]) => headers.set(name, value));
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}
