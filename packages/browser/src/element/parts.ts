/** The parts of an element's shadow tree. */
export interface Parts {
  readonly figure: HTMLElement
  readonly canvas: HTMLCanvasElement
  readonly button: HTMLButtonElement
  readonly progress: HTMLProgressElement
  readonly status: HTMLElement
}

/** Colours are those of the system, so that they follow the `color-scheme` of the page. */
const STYLE = `
:host { display: inline-block; color: CanvasText; font: inherit; max-width: 100%; }
:host([hidden]) { display: none; }
figure { margin: 0; display: grid; gap: 0.5em; justify-items: start; }
canvas { display: block; width: var(--dit-size, 128px); max-width: 100%; height: auto; image-rendering: pixelated; background: color-mix(in srgb, CanvasText 8%, Canvas); }
.controls { display: flex; gap: 0.5em; align-items: center; flex-wrap: wrap; }
button { font: inherit; padding: 0.25em 0.75em; min-height: 24px; cursor: pointer; }
button:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
progress { width: 6em; }
progress[hidden] { display: none; }
p { margin: 0; max-width: 40ch; overflow-wrap: anywhere; }
p:empty { display: none; }
p[data-kind='error']::before { content: '\\26A0\\FE0E\\00A0' / ''; }
`

/** Fills the shadow tree of an element. Its style is a sheet of its own, which no content security policy of a page forbids. */
export function makeParts(root: ShadowRoot): Parts {
  const { ownerDocument: document } = root.host
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(STYLE)
  root.adoptedStyleSheets = [sheet]
  const make = <Name extends keyof HTMLElementTagNameMap>(name: Name, part: string): HTMLElementTagNameMap[Name] => {
    const element = document.createElement(name)
    element.setAttribute('part', part)
    return element
  }
  const figure = make('figure', 'figure')
  const canvas = make('canvas', 'picture')
  const controls = make('div', 'controls')
  const button = make('button', 'button')
  const progress = make('progress', 'progress')
  const status = make('p', 'status')
  canvas.setAttribute('role', 'img')
  canvas.width = 1
  canvas.height = 1
  controls.className = 'controls'
  button.type = 'button'
  progress.hidden = true
  progress.max = 1
  status.setAttribute('role', 'status')
  status.setAttribute('aria-live', 'polite')
  controls.append(button, progress)
  figure.append(canvas, controls, status)
  root.append(figure)
  return { figure, canvas, button, progress, status }
}

/** Pictures side by side in as square a grid as there can be. */
export function showPictures(
  canvas: HTMLCanvasElement,
  pictures: readonly {
    readonly width: number
    readonly height: number
    readonly data: Uint8ClampedArray<ArrayBuffer>
  }[],
): void {
  const columns = Math.ceil(Math.sqrt(pictures.length))
  const [{ width, height }] = pictures
  const size = [columns * width, Math.ceil(pictures.length / columns) * height] as const
  // A canvas is cleared where its size is set.
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size
  const context = canvas.getContext('2d')!
  pictures.forEach(({ data }, i) => {
    context.putImageData(new ImageData(data, width, height), (i % columns) * width, Math.floor(i / columns) * height)
  })
}
