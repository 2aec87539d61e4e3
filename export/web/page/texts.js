// All texts of the page. For another language, add its texts under its code; what is missing stays English.

const LANGUAGES = {
  en: {
    title: 'Draw a photo as a cartoon',
    promise: 'Your photo stays on this device: it is drawn in your browser, and nothing is uploaded.',
    choose: 'Choose photos',
    drop: 'You can also drop photos here, or paste them.',
    take: 'Take a photo',
    camera: 'Live camera',
    example: 'Try an example',
    photos: 'Photos',
    remove: 'Remove {name}',
    styles: 'Style',
    settings: 'Settings',
    strength: 'Strength',
    keepColors: 'Keep the colours of the photo',
    divider: 'Divider between photo and cartoon',
    photo: 'photo',
    cartoon: 'cartoon',
    format: 'Format',
    download: 'Download',
    downloadAll: 'Download all',
    share: 'Share',
    cancel: 'Cancel',
    progress: 'Progress',
    stopCamera: 'Stop',
    snapshot: 'Take this picture',
    licences: 'Licences and credits',
    starting: 'Loading the drawing program …',
    drawing: 'Drawing {name} …',
    drawn: '{name} is drawn.',
    place: 'Photo {number} of {total}:',
    saving: 'Drawing {name} in full size …',
    saved: '{file} is downloaded.',
    shareAgain: '{file} is ready. Press Share again.',
    canceled: 'Cancelled.',
    newVersion: 'There is a new version of this page. Reload it when you are done.',
    cameraRate: '{side} pixels, {rate} frames a second',
    runtimeCpu: 'Runs on the processor, with {threads} threads.',
    runtimeOneThread: 'Runs on the processor, with one thread.',
    runtimeWithoutGpu: 'The graphics card is not used: {message}.',
    runtimeGpu: 'Runs on the graphics card (WebGPU).',
    firstFrame: 'It is animated: only its first frame is drawn.',
    madeSmaller: 'It is too large for this device, so it was made {width} x {height} pixels.',
    isNoPicture: '{name} is no picture. Choose a photo, such as a JPEG, PNG, WebP or AVIF.',
    isDrawing: '{name} is an SVG drawing, not a photo. Save it as PNG first.',
    isCutShort: '{name} is incomplete: the end of the file is missing. Copy or download it again.',
    isBroken: '{name} is damaged and cannot be shown. Copy or download it again.',
    cannotBeRead: 'This browser cannot read {mime}, the format of {name}. Save it as JPEG or PNG first.',
    isGone: '{name} cannot be read: it was moved or changed, or it is a folder. Choose the photo again.',
    outOfMemory: 'There was not enough memory ({message}). Try again: it will be drawn smaller.',
    unexpected: 'That did not work ({message}). Try again, or reload the page.',
    exampleMissing: 'The example cannot be loaded. Check the connection, and try again.',
    styleMissing: 'The style {style} cannot be loaded. Check the connection, and choose it again.',
    stylesMissing: 'The styles cannot be loaded. Check the connection, and reload the page.',
    runtimeMissing: 'The drawing program cannot be loaded. Check the connection, and choose the photo again.',
    gpuFailed: 'WebGPU cannot be used ({message}). Open the page without ?backend=webgpu.',
    cameraRefused: 'The camera was refused. Allow it in the settings of this page in the browser, and try again.',
    noCamera: 'No camera was found, or another program uses it.',
    cameraEnded: 'The camera was switched off or unplugged.',
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
  document.title = say('title');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', say(element.dataset.label));
  }
}
