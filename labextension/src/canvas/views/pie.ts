/** The pie: parts of a whole, from the top clockwise, the share beside each part that has room for it. */
import { h, VNode } from '../vdom';
import { Point } from './scale';

export function pie(points: readonly Point[], width: number): VNode {
  const parts = points.filter(point => point.y > 0).slice(0, 20);
  const sum = parts.reduce((total, point) => total + point.y, 0);
  const size = Math.max(140, Math.min(240, width * 0.6));
  const radius = size / 2 - 8;
  let turned = 0;
  const drawn = parts.flatMap((point, index) => {
    const share = point.y / sum;
    const [from, to] = [turned, turned + share];
    turned = to;
    const slice = h('path', { class: 'ocv-slice', d: slicePath(size / 2, radius, from, to) });
    const label = place(size / 2, radius * 0.66, (from + to) / 2);
    const said = share < 0.06 ? [] : [h('text', { class: 'ocv-share', ...label, 'text-anchor': 'middle' }, `${Math.round(share * 100)} %`)];
    return [h('g', { class: `ocv-s${index % 6}` }, slice, ...said)];
  });
  return h('svg', { class: 'ocv-chart ocv-pie', viewBox: `0 0 ${size} ${size}`, 'aria-hidden': 'true', style: { 'max-width': `${size}px` } }, ...drawn);
}

function place(centre: number, radius: number, turn: number): { x: string; y: string } {
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  return { x: (centre + radius * Math.cos(angle)).toFixed(1), y: (centre + radius * Math.sin(angle)).toFixed(1) };
}

function slicePath(centre: number, radius: number, from: number, to: number): string {
  if (to - from > 0.9999) {
    return `M${centre} ${centre - radius}a${radius} ${radius} 0 1 1 -0.01 0z`;
  }
  const [start, end] = [place(centre, radius, from), place(centre, radius, to)];
  return `M${centre} ${centre}L${start.x} ${start.y}A${radius} ${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${end.x} ${end.y}Z`;
}
