/** Surfaces for the scenes, as a tool would send them. */
const CATALOG = 'urn:openclaw-jupyter:catalog:notebook:v1';
const text = (id: string, value: string) => ({ id, component: 'Text', text: value });
const button = (id: string, label: string, more: object = {}) => [
  { id, component: 'Button', child: `${id}-label`, action: { event: { name: id, context: {} } }, ...more },
  text(`${id}-label`, label)
];

function surface(surfaceId: string, value: object, components: readonly object[]): object[] {
  return [
    { version: 'v0.9', createSurface: { surfaceId, catalogId: CATALOG } },
    { version: 'v0.9', updateDataModel: { surfaceId, value } },
    { version: 'v0.9', updateComponents: { surfaceId, components } }
  ];
}

const years = (...values: number[]) => values.map((y, index) => ({ x: 2007 + index, y }));
const options = ['Body mass', 'Flipper', 'Bill'].map(label => ({ label, value: label }));

export const explorer = surface(
  'explorer',
  {
    sample: '15',
    measure: ['Body mass'],
    leave: true,
    series: [
      { name: 'Gentoo', points: years(4.92, 5.0, 5.06) },
      { name: 'Adelie', points: years(3.68, 3.75, 3.71) },
      { name: 'Chinstrap', points: years(3.8, 3.89, 3.97) }
    ]
  },
  [
    { id: 'root', component: 'Column', children: ['sample', 'measure', 'leave', 'chart', 'actions'] },
    { id: 'sample', component: 'TextField', label: 'Smallest sample', variant: 'number', value: { path: '/sample' } },
    { id: 'measure', component: 'ChoicePicker', label: 'Measure', displayStyle: 'chips', options, value: { path: '/measure' } },
    { id: 'leave', component: 'CheckBox', label: 'Leave out birds of unknown sex', value: { path: '/leave' } },
    { id: 'chart', component: 'Chart', type: 'line', series: { path: '/series' } },
    { id: 'actions', component: 'Row', children: ['apply', 'write'] },
    ...button('apply', 'Apply', { variant: 'primary' }),
    ...button('write', 'Write to notebook')
  ]
);

const complete = { call: 'email', args: { value: { path: '/to' } } };

export const weekly = surface('weekly', { to: 'field-team@', on: [] }, [
  { id: 'root', component: 'Column', children: ['to', 'actions'] },
  { id: 'to', component: 'TextField', label: 'Send to', value: { path: '/to' }, checks: [{ condition: complete, message: 'This is not a complete address.' }] },
  { id: 'actions', component: 'Row', children: ['create', 'cancel'] },
  ...button('create', 'Create', { variant: 'primary', checks: [{ condition: complete, message: 'The address is not complete.' }] }),
  ...button('cancel', 'Cancel')
]);

export const stations = surface('stations', {}, [
  { id: 'root', component: 'Column', children: ['picture', 'hologram'] },
  { id: 'picture', component: 'Image', url: 'https://example.org/station.png' },
  { id: 'hologram', component: 'Hologram' }
]);
