// All texts of the page. For another language, add its texts under its code; what is missing stays English.

const LANGUAGES = {
  en: {
    title: 'Draw a photo as a cartoon',
    promise: 'Your photo stays on this device: it is drawn in your browser, and nothing is uploaded.',
    drop: 'Drop photos here, paste them, or',
    choose: 'Choose photos',
    take: 'Take a photo',
    camera: 'Live camera',
    example: 'Try an example',
    photos: 'Photos',
    styles: 'Style',
    settings: 'Settings',
    strength: 'Strength',
    keepColors: 'Keep the colours of the photo',
    divider: 'Divider between photo and cartoon',
    photo: 'Photo',
    cartoon: 'Cartoon',
    format: 'Format',
    download: 'Download',
    downloadAll: 'Download all',
    share: 'Share',
    cancel: 'Cancel',
    stopCamera: 'Stop',
    snapshot: 'Take this picture',
    licences: 'Licences and credits',
    starting: 'Loading the drawing program …',
    drawing: 'Drawing {name} …',
    drawn: '{name} is drawn.',
    saving: 'Drawing {name} in full size: {percent} %',
    saved: '{file} is downloaded.',
    canceled: 'Canceled.',
    queue: 'Photo {number} of {total}: {name}',
    cameraRate: '{side} pixels, {rate} frames a second',
    runtimeCpu: 'Runs on the processor, with {threads} threads.',
    runtimeOneThread: 'Runs on the processor, with one thread.',
    runtimeWithoutGpu: 'The graphics card is not used: {message}.',
    runtimeGpu: 'Runs on the graphics card (WebGPU).',
    firstFrame: 'It is animated: only its first frame is drawn.',
    madeSmaller: 'It is too large for the memory of this device, so the cartoon is smaller.',
    isNoPicture: '{name} is no picture. Choose a photo: JPEG, PNG, WebP, AVIF or GIF.',
    isDrawing: '{name} is an SVG drawing, not a photo. Save it as PNG first.',
    isCutShort: '{name} is incomplete: the end of the file is missing. Copy or download it again.',
    isBroken: '{name} is damaged and cannot be shown. Copy or download it again.',
    cannotBeRead: 'This browser cannot read {mime}, the format of {name}. Save it as JPEG or PNG first.',
    drawingFailed: 'The drawing failed ({message}) and was restarted. Try again, or choose a smaller photo.',
    styleMissing: 'The style {style} cannot be loaded. Check the connection, and choose it again.',
    stylesMissing: 'The styles cannot be loaded. Check the connection, and reload the page.',
    gpuFailed: 'WebGPU cannot be used ({message}). Open the page without ?backend=webgpu.',
    cameraRefused: 'The camera was refused. Allow it in the address bar of the browser, and try again.',
    noCamera: 'No camera was found, or another program uses it.',
  },
};

const language = (globalThis.navigator?.language ?? 'en').split('-')[0];
const texts = {...LANGUAGES.en, ...LANGUAGES[language]};

/** Returns a text with its {placeholders} filled in. */
export function say(name, values = {}) {
  return texts[name].replace(/{(\w+)}/g, (_, key) => values[key] ?? '');
}

/** Fills the elements of the page whose data-text names a text, and those whose data-label names their label. */
export function fillTexts() {
  document.documentElement.lang = language in LANGUAGES ? language : 'en';
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', say(element.dataset.label));
  }
}
