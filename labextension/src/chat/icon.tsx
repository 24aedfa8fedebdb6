import * as React from 'react';
import { ICON_MARKUP, IconName } from './icons';

/** A 16 px icon. Without a label it is decoration only: its meaning stands beside it in words. */
export function Icon(props: { name: IconName; className?: string; label?: string }): JSX.Element {
  const { label } = props;
  return (
    <svg
      className={`oc-icon ${props.className ?? ''}`}
      viewBox="0 0 16 16"
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      dangerouslySetInnerHTML={{ __html: ICON_MARKUP[props.name] }}
    />
  );
}

/** An icon button with its name as label and tooltip. */
export function IconButton(
  props: { icon: IconName; label: string } & React.ButtonHTMLAttributes<HTMLButtonElement>
): JSX.Element {
  const { icon, label, ...rest } = props;
  return (
    <button type="button" className="oc-ibtn" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
