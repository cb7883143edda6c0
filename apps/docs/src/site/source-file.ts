import { defineComponent, h } from 'vue'

/** Where something lives in the repository. A test holds that the file is there. */
export const SourceFile = defineComponent({
  name: 'SourceFile',
  props: { path: { type: String, required: true } },
  setup: (props) => () => h('p', { class: 'source-file' }, ['In the code: ', h('code', props.path)]),
})
