import { h, type VNode } from 'vue'

export interface SliderOptions {
  readonly label: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly value: number
  /** The value as it is read: with its unit, or as a power. */
  readonly shown?: string
  readonly onChange: (value: number) => void
}

/** A labelled slider that shows its value. The arrow keys move it, as in every page. */
export function slider({ label, min, max, step, value, shown = String(value), onChange }: SliderOptions): VNode {
  return h('label', { class: 'figure-slider' }, [
    h('span', { class: 'figure-label' }, [label, h('output', { class: 'figure-value' }, shown)]),
    h('input', {
      type: 'range',
      min,
      max,
      step,
      value,
      'aria-label': label,
      'aria-valuetext': shown,
      onInput: (event: Event) => onChange(Number((event.target as HTMLInputElement).value)),
    }),
  ])
}

export interface ChoiceOptions<Value extends string> {
  readonly label: string
  /** Unique on the page: radio buttons of one name belong together. */
  readonly name: string
  readonly options: readonly { readonly value: Value; readonly text: string }[]
  readonly value: Value
  readonly onChange: (value: Value) => void
}

/** Some buttons of which one is pressed: radio buttons beneath. */
export function choice<Value extends string>({ label, name, options, value, onChange }: ChoiceOptions<Value>): VNode {
  return h('fieldset', { class: 'figure-choice' }, [
    h('legend', { class: 'figure-label' }, label),
    h(
      'div',
      { class: 'figure-options' },
      options.map((option) =>
        h('label', { class: 'figure-option', key: option.value }, [
          h('input', {
            type: 'radio',
            name,
            value: option.value,
            checked: option.value === value,
            onChange: () => onChange(option.value),
          }),
          h('span', option.text),
        ]),
      ),
    ),
  ])
}

export interface FrameOptions {
  /** What the figure shows: its name to a screen reader, and its heading. */
  readonly title: string
  readonly controls: readonly VNode[]
  readonly caption: string
}

/** A figure with its heading, its controls and a caption beneath. */
export function frame({ title, controls, caption }: FrameOptions, ...parts: readonly (VNode | null)[]): VNode {
  return h('figure', { class: 'figure', 'aria-label': title }, [
    h('div', { class: 'figure-title' }, title),
    h('div', { class: 'figure-body' }, [...parts]),
    controls.length === 0 ? null : h('div', { class: 'figure-controls' }, [...controls]),
    h('figcaption', withCode(caption)),
  ])
}

/** A caption whose parts between backticks are code. */
function withCode(text: string): (VNode | string)[] {
  return text.split('`').map((part, i) => (i % 2 === 1 ? h('code', part) : part))
}
