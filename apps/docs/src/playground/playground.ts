import { toImageData } from '@dit/pipeline'
import { withBase } from 'vitepress'
import { defineComponent, h, ref, type VNode, watch } from 'vue'
import { choice, slider } from '../figures/controls.js'
import { keepOffline, type Offline } from '../offline/keep-offline.js'
import { DrawingPad } from './drawing-pad.js'
import { columnsOf } from './grid.js'
import { blankPicture } from './paint.js'
import { fileName, pictureFile } from './picture-file.js'
import { COUNTS, ENGINES, GUIDANCE, type Settings, STEPS, STRENGTH } from './settings.js'
import { type Playground as State, usePlayground } from './use-playground.js'

/** The list of pictures in the page. */
interface List {
  element: HTMLElement | null
}

/** A trained model, drawing in the page: classes, guidance, steps, solver and seed, with the pictures as they come out of the noise. */
export const Playground = defineComponent({
  name: 'Playground',
  setup() {
    const state = usePlayground(() => new URL(withBase('/models/'), location.href).href)
    const list: List = { element: null }

    const paint = () => {
      const canvases = list.element?.querySelectorAll('canvas') ?? []
      state.pictures.value.forEach((picture, i) => {
        const canvas = canvases[i]
        if (canvas === undefined) return
        // A canvas is cleared where its size is set.
        if (canvas.width !== picture.width) canvas.width = picture.width
        if (canvas.height !== picture.height) canvas.height = picture.height
        canvas.getContext('2d')!.putImageData(toImageData(picture), 0, 0)
      })
    }
    watch(state.pictures, paint, { flush: 'post' })
    // After the first pictures, so that they need not wait for it.
    const offline = ref<Offline | null>(null)
    watch(
      state.drawing,
      async () => {
        offline.value = await keepOffline(new URL(withBase('/'), location.href).href)
      },
      { once: true },
    )

    return () =>
      h('section', { class: 'play', 'aria-label': 'Playground', ...dropping(state) }, [
        h('div', { class: 'play-stage' }, [
          pictureList(state, list),
          h('div', { class: 'play-buttons' }, buttons(state)),
          progress(state),
          h('p', { class: 'play-status', role: 'status' }, state.status.value),
          problems(state),
          engineNote(state, offline.value),
        ]),
        h(
          'div',
          { class: 'play-controls' },
          state.settings.value === null ? [] : controls(state, state.settings.value),
        ),
      ])
  },
})

/** A picture that is dropped anywhere is started from; without these the browser would leave the page for it. */
function dropping({ startFromFile }: State) {
  return {
    onDragover: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      startFromFile(event.dataTransfer?.files[0])
    },
  }
}

/** A canvas for each picture; those that are not there yet are empty. */
function pictureList({ pictures, drawing, phase, settings }: State, list: List): VNode {
  const count = settings.value?.count ?? 4
  const isBusy = phase.value !== 'idle'
  const seed = drawing.value?.settings.seed
  const label = (i: number) => {
    const picture = pictures.value[i]
    if (picture === undefined) return 'No picture yet'
    return isBusy ? `${picture.className}, in work` : `${picture.className}, seed ${seed}, picture ${i + 1}`
  }
  return h(
    'ul',
    {
      ref: (element) => {
        list.element = element as HTMLElement | null
      },
      class: 'play-pictures',
      'aria-label': 'Pictures',
      'aria-busy': isBusy,
      style: { '--columns': columnsOf(count) },
    },
    Array.from({ length: count }, (_, i) =>
      h('li', { key: i }, [h('canvas', { width: 32, height: 32, role: 'img', 'aria-label': label(i) })]),
    ),
  )
}

function buttons(state: State): VNode[] {
  const { phase, drawing, settings, models, problems, status, hash } = state
  const isBusy = phase.value !== 'idle'
  const seed = settings.value?.seed ?? 0
  const drawn = drawing.value
  const report = (work: Promise<void>) => {
    work.catch((error: unknown) => {
      problems.value = [error instanceof Error ? `${error.message}.` : String(error)]
    })
  }
  const button = (text: string, onClick: () => void, isOff = false, kind = '') =>
    h('button', { type: 'button', class: ['play-button', kind], disabled: isOff, onClick }, text)
  return [
    isBusy
      ? button('Stop', state.stop, models.value.length === 0, 'is-main')
      : button('Draw', state.draw, models.value.length === 0, 'is-main'),
    button('Other noise', () => state.change({ seed: seed + 1 }), settings.value === null),
    button(
      'Save as PNG',
      () => {
        if (drawn !== null) report(save(drawn))
      },
      drawn === null,
    ),
    button('Copy link', () => report(copyLink(hash.value, status)), settings.value === null),
  ]
}

async function save(drawing: NonNullable<State['drawing']['value']>): Promise<void> {
  const file = await pictureFile(drawing, location.href.split('#')[0])
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([file], { type: 'image/png' }))
  link.download = fileName(drawing.settings)
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function copyLink(hash: string, status: State['status']): Promise<void> {
  const link = location.href.split('#')[0] + hash
  // Pages that are not secure have no clipboard, and a visitor may forbid it.
  const isCopied = await (navigator.clipboard as Clipboard | undefined)?.writeText(link).then(
    () => true,
    () => false,
  )
  status.value =
    isCopied === true
      ? 'The link is copied: it draws the same pictures.'
      : 'This browser lets no page copy here. The address of this page is the link: copy it from the address bar.'
}

/** How far the download or the steps are; it keeps its place when there is nothing to tell. */
function progress({ phase, progress }: State): VNode {
  const what = phase.value === 'loading' ? 'Loading the model' : 'Drawing'
  const value = progress.value === null ? {} : { value: progress.value }
  return h('div', { class: 'play-progress' }, [
    phase.value === 'idle' ? null : h('progress', { key: phase.value, max: 1, ...value, 'aria-label': what }),
  ])
}

function problems({ problems }: State): VNode {
  return h(
    'div',
    { class: 'play-problems', role: 'alert' },
    problems.value.map((text) => h('p', { key: text }, text)),
  )
}

/** What computes, what would be faster, and whether the page works without a network. */
function engineNote({ engine }: State, offline: Offline | null): VNode {
  const used = engine.value
  if (used === null) return h('p', { class: 'play-engine' })
  const why = used.reason === null ? '' : ` (${used.reason})`
  const isSlow = used.kind === 'wasm' && !globalThis.crossOriginIsolated
  const canReload = isSlow && offline?.isKept === true && navigator.hardwareConcurrency > 1
  const threads =
    'The page is not cross-origin isolated, so this browser gives it no SharedArrayBuffer and one thread only; the pictures are the same.'
  const kept =
    offline === null
      ? ''
      : offline.isKept
        ? ' The playground is kept for use without a network.'
        : ` The playground is not kept for use without a network: ${offline.reason}.`
  return h('p', { class: 'play-engine' }, [
    `Computed by ${used.description}${why}.${isSlow ? ` ${threads}` : ''}${kept} `,
    canReload
      ? h('button', { type: 'button', class: 'play-link', onClick: () => location.reload() }, 'Reload for more threads')
      : null,
  ])
}

function controls(state: State, settings: Settings): VNode[] {
  const { models, classNames, solvers } = state
  const modelChoice = choice({
    label: 'Model',
    name: 'play-model',
    value: settings.model,
    options: models.value.map(({ name, title }) => ({ value: name, text: title })),
    onChange: (model) => {
      const { guidance, steps, sampler } = models.value.find(({ name }) => name === model)!.sampling
      state.change({ model, className: '', guidance, steps, solver: sampler, start: '' })
    },
  })
  return [
    ...(models.value.length > 1 ? [modelChoice] : []),
    choice({
      label: 'Class',
      name: 'play-class',
      value: settings.className,
      options: [{ value: '', text: 'a mix' }, ...classNames.value.map((value) => ({ value, text: value }))],
      onChange: (className) => state.change({ className }),
    }),
    slider({
      label: 'Guidance',
      ...GUIDANCE,
      value: settings.guidance,
      shown: settings.guidance.toFixed(2),
      onChange: (guidance) => state.change({ guidance }),
    }),
    slider({ label: 'Steps', ...STEPS, step: 1, value: settings.steps, onChange: (steps) => state.change({ steps }) }),
    choice({
      label: 'Solver',
      name: 'play-solver',
      value: settings.solver,
      options: solvers.value,
      onChange: (solver) => state.change({ solver }),
    }),
    seedField(state, settings),
    choice({
      label: 'Pictures',
      name: 'play-count',
      value: String(settings.count),
      options: COUNTS.map((count) => ({ value: String(count), text: String(count) })),
      onChange: (count) => state.change({ count: Number(count) }),
    }),
    choice({
      label: 'Computed by',
      name: 'play-engine',
      value: settings.engine,
      options: ENGINES,
      onChange: (engine) => state.change({ engine }),
    }),
    ...startControls(state, settings),
  ]
}

/** Noise, or a picture that is taken back towards it. */
function startControls(state: State, { model, strength }: Settings): VNode[] {
  const { start, side, models, pictures, phase } = state
  const { ground } = models.value.find(({ name }) => name === model)!
  const size = side.value
  if (size === null) return []
  const picture = start.value
  const first = pictures.value[0]
  const from = choice({
    label: 'Start from',
    name: 'play-start',
    value: picture === null ? 'noise' : 'picture',
    options: [
      { value: 'noise', text: 'noise' },
      { value: 'picture', text: 'a drawing or a picture' },
    ],
    onChange: (value) => state.startFrom(value === 'noise' ? null : blankPicture(size, ground)),
  })
  if (picture === null) return [from]
  return [
    from,
    slider({
      label: 'Strength',
      ...STRENGTH,
      value: strength,
      shown: strength.toFixed(2),
      onChange: (value) => state.change({ strength: value }),
    }),
    h(DrawingPad, { picture, ground, onChange: state.startFrom, onFile: state.startFromFile }),
    h('div', [
      h(
        'button',
        {
          type: 'button',
          class: 'play-button',
          disabled: first === undefined || phase.value !== 'idle',
          onClick: () => state.startFrom(first),
        },
        'Take the first picture above',
      ),
    ]),
  ]
}

/** The seed as a number to type; what is none is not taken, and said. */
function seedField(state: State, { seed }: Settings): VNode {
  const onChange = (event: Event) => {
    const field = event.target as HTMLInputElement
    const value = Number(field.value)
    if (field.value.trim() !== '' && Number.isSafeInteger(value) && value >= 0) {
      state.change({ seed: value })
      return
    }
    state.problems.value = [
      `seed must be a whole number, 0 or more (got ${field.value === '' ? 'nothing' : field.value}).`,
    ]
    field.value = String(seed)
  }
  return h('label', { class: 'play-field' }, [
    h('span', { class: 'figure-label' }, 'Seed'),
    h('input', { type: 'number', min: 0, step: 1, value: seed, onChange }),
  ])
}
