// The page: it starts the drawing program, and hands photos and wishes to the stage, the camera and the files.

import {Problem} from './decoding.js';
import {Drawer} from './drawer.js';
import {live} from './live.js';
import {startOffline} from './offline.js';
import {download, forgetShared, share} from './saving.js';
import {stage} from './stage.js';
import {at, attempt, report} from './status.js';
import {fillTexts, say} from './texts.js';

fillTexts();
report(say('starting'));
const ready = prepare();
listen();
attempt(start)();

/** Loads what the page needs before it takes photos. */
async function prepare() {
  await startOffline(() => stage.photos.length > 0);
  const response = await fetch('styles.json').catch(() => null);
  if (!response?.ok) throw new Problem('stylesMissing');
  const {styles} = await response.json();
  const query = new URLSearchParams(location.search);
  const choices = {threads: Number(query.get('threads')), backend: query.get('backend'), style: styles[0]};
  stage.start(new Drawer(choices, describeRuntime), styles);
}

async function start() {
  await ready;
  await stage.drawer.started;
  if (document.body.dataset.state === 'busy') return; // with a photo that was chosen early
  document.body.dataset.state = 'ready';
  report('');
}

function describeRuntime({accelerator, threads, gpuProblem}) {
  const onCpu = threads > 1 ? say('runtimeCpu', {threads}) : say('runtimeOneThread');
  const onGpu = gpuProblem ? `${onCpu} ${say('runtimeWithoutGpu', {message: gpuProblem})}` : onCpu;
  at('runtime').textContent = accelerator === 'webgpu' ? say('runtimeGpu') : onGpu;
}

function listen() {
  for (const input of [at('files'), at('take')]) {
    input.onchange = () => {
      const files = [...input.files];
      input.value = '';
      open(files);
    };
  }
  document.onpaste = event => open([...event.clipboardData.files]);
  document.ondragover = event => {
    event.preventDefault();
    document.body.classList.add('dragging');
  };
  document.ondragleave = () => document.body.classList.remove('dragging');
  document.ondrop = event => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    open([...event.dataTransfer.files]);
  };
  at('example').onclick = attempt(openExample);
  at('camera-start').onclick = attempt(() => ready.then(live.start));
  at('camera-stop').onclick = live.stop;
  at('snapshot').onclick = attempt(async () => open([await live.takeSnapshot()]));
  at('cancel').onclick = () => {
    stage.drawer.restart();
    at('files').focus();
  };
  at('divider').oninput = stage.divide;
  at('strength').oninput = at('keep-colors').onchange = attempt(stage.redraw);
  at('download').onclick = attempt(() => download([stage.shown], stage));
  at('download-all').onclick = attempt(() => download([...stage.photos], stage));
  at('share').onclick = attempt(() => share(stage.shown, stage));
  for (const event of ['change', 'input', 'click']) at('choices').addEventListener(event, forgetShared);
}

/** Takes photos to the stage: the first one that can be drawn is shown. */
function open(files) {
  if (!files.length) return;
  live.stop();
  const added = stage.add(files);
  attempt(async () => {
    await ready;
    await stage.showFirst(added);
  })();
}

async function openExample() {
  const response = await fetch('example.jpg').catch(() => null);
  if (!response?.ok) throw new Problem('exampleMissing');
  open([new File([await response.blob()], 'example.jpg')]);
}
