// What the reference engine resolves: for every component drawn, its words. Reads {name: messages}, writes {name: [[id, text]]}.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';

const find = createRequire(`${process.argv[2]}/`);
const load = name => import(pathToFileURL(find.resolve(name)).href);
const core = await load('@a2ui/web_core/v0_9');
const { basicCatalog } = await load('@a2ui/web_core/v0_9/basic_catalog');
const WORDS = ['text', 'label', 'title'];

/** A resolved property is `{value, path?}`. */
function words(resolved) {
  const value = typeof resolved === 'object' && resolved !== null && 'value' in resolved ? resolved.value : resolved;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '');
}

function collect(value, found, seen) {
  if (Array.isArray(value)) {
    value.forEach(each => collect(each, found, seen));
  } else if (core.isComponentNode(value)) {
    if (!seen.has(value.instanceId)) {
      seen.add(value.instanceId);
      const props = core.getValue(value.props);
      for (const key of WORDS) {
        if (props[key] !== undefined) {
          found.push([value.componentId, words(props[key])]);
        }
      }
      (Array.isArray(props.options) ? props.options : []).forEach(option => found.push([value.componentId, words(option.label)]));
      Object.values(props).forEach(each => collect(each, found, seen));
    }
  } else if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(each => collect(each, found, seen));
  }
}

const told = {};
for (const [name, messages] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const processor = new core.MessageProcessor([basicCatalog]);
  processor.processMessages(messages);
  const found = [];
  for (const surface of processor.model.surfacesMap.values()) {
    const resolver = new core.NodeResolver(surface, basicCatalog);
    collect(core.getValue(resolver.rootNode), found, new Set());
  }
  told[name] = found;
}
process.stdout.write(JSON.stringify(told));
