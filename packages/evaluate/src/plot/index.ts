export { escapeXml } from './escape-xml.js'
export {
  COLORS,
  curve,
  type Frame,
  legend,
  type LegendEntry,
  type Panel,
  type PanelColors,
  panelSvg,
  points,
} from './panel.js'
export { type Axis, chooseScale, logTicks, type ScaleKind, stepAxis, valueAxis } from './scales.js'
export { defaultWindow, smooth } from './smooth.js'
