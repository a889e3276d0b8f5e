// SPDX-License-Identifier: MIT
/** What `ovbd report` makes; apart from it so that the command line loads nothing else to say so. */

/** The forms, in the order in which help names them. */
export const REPORT_FORMATS = ['html', 'junit', 'ktap', 'sarif', 'summary', 'errata', 'badge', 'badge-json', 'json'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
