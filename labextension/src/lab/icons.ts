import { LabIcon } from '@jupyterlab/ui-components';
import { svgDocument } from '../chat';

export const clawIcon = new LabIcon({ name: 'jupyter-openclaw:claw', svgstr: svgDocument('claw') });
export const newChatIcon = new LabIcon({ name: 'jupyter-openclaw:plus', svgstr: svgDocument('plus') });
export const stopIcon = new LabIcon({ name: 'jupyter-openclaw:stop', svgstr: svgDocument('stop') });
