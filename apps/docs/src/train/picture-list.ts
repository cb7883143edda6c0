import { h, type VNode } from 'vue'
import type { DrawnPicture } from './messages.js'

/**
 * Pictures with the names of their classes beneath.
 *
 * @param title what they are, for all readers
 */
export function pictureList(title: string, pictures: readonly DrawnPicture[]): VNode {
  return h('div', { class: 'train-samples' }, [
    h('p', { class: 'figure-label' }, title),
    h(
      'ul',
      pictures.map(({ data, width, className }, i) =>
        h('li', { key: i }, [
          h('canvas', {
            role: 'img',
            'aria-label': `Sample of ${className}`,
            width,
            height: data.length / 4 / width,
            ref: (canvas) =>
              (canvas as HTMLCanvasElement | null)?.getContext('2d')?.putImageData(new ImageData(data, width), 0, 0),
          }),
          h('span', className),
        ]),
      ),
    ),
  ])
}
