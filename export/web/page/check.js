// Draws the export's photos in the page itself, as a visitor does, and sends the cartoons to export/web/browser.py.

const PATIENCE_MS = 120_000;

const frame = document.getElementById('page');
const send = (path, body) => fetch(path, {method: 'POST', body});

async function check() {
  const {photos, styles} = await (await fetch('check.json')).json();
  await until(() => state() === 'ready');
  for (const style of styles) {
    for (const photo of photos) await send(`check/${style}/${photo}`, await cartoonOf(photo, style));
  }
  await send('check/done', '');
}

async function cartoonOf(photo, style) {
  const page = frame.contentDocument;
  page.querySelector(`[value="${style}"]`).checked = true;
  const blob = await (await fetch(photo)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], photo, {type: 'image/png'}));
  const input = page.getElementById('files');
  input.files = transfer.files;
  input.dispatchEvent(new Event('change'));
  await until(() => state() === 'ready' && page.getElementById('status').textContent.includes(photo));
  return new Promise(resolve => page.getElementById('cartoon').toBlob(resolve, 'image/png'));
}

const state = () => frame.contentDocument.body?.dataset.state;

async function until(isTrue) {
  const end = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    const problem = frame.contentDocument.getElementById('problem')?.textContent;
    if (problem || performance.now() > end) throw new Error(problem || 'the page does not answer');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

check().catch(error => send('check/failed', error.message));
