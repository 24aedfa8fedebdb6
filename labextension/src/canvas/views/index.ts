/** Which view draws which component. */
import { chart } from './chart';
import { code, dataTable, progress, prose } from './data';
import { button, checkBox, choicePicker, dateTimeInput, slider, textField } from './inputs';
import { card, column, divider, list, row, text } from './layout';
import { audioPlayer, icon, image, modal, tabs, video } from './media';
import type { View } from './view';

export const VIEWS: ReadonlyMap<string, View> = new Map(
  Object.entries({
    Text: text,
    Row: row,
    Column: column,
    List: list,
    Card: card,
    Divider: divider,
    Button: button,
    TextField: textField,
    CheckBox: checkBox,
    ChoicePicker: choicePicker,
    Slider: slider,
    DateTimeInput: dateTimeInput,
    Image: image,
    Icon: icon,
    Tabs: tabs,
    Modal: modal,
    Video: video,
    AudioPlayer: audioPlayer,
    Chart: chart,
    DataTable: dataTable,
    Code: code,
    Markdown: prose,
    Progress: progress
  })
);

export { broken, unknown } from './media';
export { notice } from './view';
export type { Draw, Say } from './view';
