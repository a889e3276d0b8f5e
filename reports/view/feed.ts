// SPDX-License-Identifier: MIT
/** A stored run told again to a reporter that takes events. */
import type { Reporter } from '../../model/index.ts';
import type { View } from './view.ts';

/** Gives the reporter all events in the order of a run, and closes it. A run without a footer stays without one. */
export function feed(view: View, reporter: Reporter): void {
  reporter.event(view.run);
  for (const one of view.cases) reporter.event(one);
  for (const { event } of view.findings) reporter.event(event);
  for (const matrix of view.matrices) reporter.event(matrix);
  if (view.footer !== null) reporter.event(view.footer);
  reporter.close();
}
