/** What the server tells the page, over `/events`. Types alone: the page's JavaScript is checked against them, too. */
import type { Block, HeaderBlock, HomeView, KnownBlock, ModalView } from '@slack/types';

/** The first event: the workspace. */
export interface Hello {
  readonly channels: readonly WorkspaceEntry[];
  /** The direct messages between the user and the bot. */
  readonly direct: WorkspaceEntry;
  /** Names of users by their ids. */
  readonly userNames: Readonly<Record<string, string>>;
  /** Questions to try. */
  readonly examples: readonly Example[];
  /** A sentence about the trail, shown at the top. */
  readonly about: string;
  /** What a visitor may want to see first. */
  readonly stories: readonly Story[];
}

/** A user or a channel. */
export interface WorkspaceEntry {
  readonly id: string;
  readonly name: string;
}

/** A question to try, such as `root-logins 6mo`, under its topic. */
export interface Example {
  readonly topic: string;
  /** What the question does, in a few words. */
  readonly summary: string;
  readonly line: string;
}

/** Something that happened, and the question that shows it. */
export interface Story {
  readonly title: string;
  readonly line: string;
}

/** A message that is new or changed, or the key of one that is gone. */
export type MessageChange = { readonly put: ShownMessage } | { readonly gone: string };

export interface ShownMessage {
  readonly key: string;
  readonly channel: string;
  readonly ts: string;
  /** The `ts` of the message whose thread it is in. */
  readonly thread?: string;
  /** True when it has a thread of its own. */
  readonly hasReplies: boolean;
  readonly from: 'requester' | 'bot' | 'slack';
  readonly onlyYou: boolean;
  readonly text: string;
  readonly blocks: readonly ShownBlock[];
  readonly files: readonly ShownFile[];
}

/** A file in a message. Its bytes are at `/file/<id>` of the page, and the first lines of a text at `/preview/<id>`. */
export interface ShownFile {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** What a picture shows. */
  readonly alt?: string;
}

/** A block of Slack, with what the package @slack/types does not declare. */
export type ShownBlock = Exclude<KnownBlock, HeaderBlock> | (HeaderBlock & { readonly level?: number }) | ShownChart;

export interface ShownChart extends Block {
  readonly type: 'data_visualization';
  readonly title: string;
  readonly chart: SeriesChart | { readonly type: 'pie' };
}

export interface SeriesChart {
  readonly type: 'bar' | 'line' | 'area';
  readonly series: readonly ChartSeries[];
  readonly axis_config: { readonly categories: readonly string[]; readonly y_label?: string };
}

export interface ChartSeries {
  readonly name: string;
  readonly data: readonly { readonly label: string; readonly value: number }[];
}

/** What the bot answered to a click in the panel of a message. */
export interface PanelContent {
  /** The key of the message. */
  readonly key: string;
  readonly text: string;
  readonly blocks: readonly ShownBlock[];
}

/** What became of a form. */
export interface FormResult {
  /** What is wrong, by field; of the form itself under ''. */
  readonly errors: Readonly<Record<string, string>>;
  /** Which modals close, where nothing is wrong. */
  readonly closes: 'this' | 'none' | 'all';
}

/** Something that the bot sent and Slack would refuse. */
export interface ShownRefusal {
  readonly id: number;
  /** ISO time. */
  readonly at: string;
  /** The method, such as `chat.postMessage`, or `response_url`. */
  readonly way: string;
  /** Slack's code, such as `invalid_blocks`. */
  readonly error: string;
  /** Each limit that is broken, after the JSON pointer of where. */
  readonly problems: readonly string[];
  /** The message or the view. */
  readonly sent: unknown;
}

/** A view as the bot sent it. */
export interface ShownView {
  readonly id: string;
  /** Another one after each change. */
  readonly hash: string;
  readonly view: ShownHome | ShownModal;
}

export interface ShownHome extends Omit<HomeView, 'blocks'> {
  readonly blocks: readonly ShownBlock[];
}

export interface ShownModal extends Omit<ModalView, 'blocks'> {
  readonly blocks: readonly ShownBlock[];
}
