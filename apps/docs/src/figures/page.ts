import { onBeforeUnmount, onMounted, type Ref, ref } from 'vue'

/** The width of an element in pixels, as it changes; `first` until the page is there. */
export function useWidth(first = 640): { readonly element: Ref<HTMLElement | null>; readonly width: Ref<number> } {
  const element = ref<HTMLElement | null>(null)
  const width = ref(first)
  let observer: ResizeObserver | undefined
  onMounted(() => {
    if (element.value === null) return
    width.value = Math.floor(element.value.clientWidth)
    observer = new ResizeObserver(([entry]) => {
      width.value = Math.floor(entry.contentRect.width)
    })
    observer.observe(element.value)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return { element, width }
}

/** Whether the visitor asks for less motion. */
export function wantsLessMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}

/** A colour of the theme, as a canvas takes it. */
export function themeColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** Calls back when the page turns dark or light, until the component goes. */
export function onThemeChange(paint: () => void): void {
  let observer: MutationObserver | undefined
  onMounted(() => {
    observer = new MutationObserver(paint)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] })
  })
  onBeforeUnmount(() => observer?.disconnect())
}
