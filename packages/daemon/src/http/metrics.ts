/** All metrics, in one file: names, units and what they mean. Values are read when they are asked for. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ClusterNode } from '../node/index.ts';
import type { Instant } from '@systole/kernel';

interface Sources {
  readonly node: ClusterNode;
  readonly now: () => Instant;
  readonly counters: () => Readonly<Record<string, number>>;
}

/** How often the event loop's delay is sampled. The library's own 10 ms wake an idle daemon a hundred times a second. */
const loopWatchMs = 1000;

export function createMetrics({ node, now, counters }: Sources): () => Promise<string> {
  const nameOf = (id: number): string => node.nodeName(id) ?? String(id);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopWatchMs });
  const gauge = (name: string, help: string, labels: readonly string[], read: (gauge: Gauge) => void): void => {
    const metric: Gauge = new Gauge({
      name: `systole_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect(): void {
        metric.reset();
        read(metric);
      },
    });
  };
  const simple = (name: string, help: string, read: () => number): void =>
    gauge(name, help, [], (one) => one.set(read()));

  simple('quorate', '1 if this node may act', () => Number(node.controller.state.quorum === 'held'));
  simple('is_dc', '1 if this node is the designated controller', () => Number(node.controller.state.dc === node.self));
  simple('settled', '1 if nothing is left to do', () => Number(node.controller.state.isSettled));
  simple('members', 'members of the present view', () => node.controller.state.members.length);
  simple('view', 'number of the present view', () => node.controller.state.viewNumber ?? 0);
  simple('cib_epoch', 'changes of the configuration so far', () => node.cib.version.epoch);
  simple(
    'transitions_total',
    'transitions carried out by this node as DC',
    () => node.controller.transitions.records.at(-1)?.number ?? 0,
  );
  gauge('messaging_total', 'what messaging has counted', ['counter'], (one) => {
    for (const [counter, value] of Object.entries(node.messagingStatus(now()).counters)) one.set({ counter }, value);
  });
  gauge('peer_silence_milliseconds', 'since a peer was last heard', ['peer'], (one) => {
    for (const peer of node.messagingStatus(now()).peers) {
      if (peer.silenceMs !== undefined) one.set({ peer: nameOf(peer.node) }, peer.silenceMs);
    }
  });
  gauge('link_rtt_milliseconds', 'smoothed round trip to a peer on a link', ['peer', 'link'], (one) => {
    for (const peer of node.messagingStatus(now()).peers) {
      for (const { link, rttMs } of peer.links) {
        if (rttMs !== undefined) one.set({ peer: nameOf(peer.node), link: String(link) }, rttMs);
      }
    }
  });
  gauge('link_loss_ratio', 'share of a peer’s heartbeats lost on a link', ['peer', 'link'], (one) => {
    for (const peer of node.messagingStatus(now()).peers) {
      for (const { link, loss } of peer.links) one.set({ peer: nameOf(peer.node), link: String(link) }, loss);
    }
  });
  const messaging = () => node.messagingStatus(now());
  gauge('messaging_queue_entries', 'messages of this node that wait for their place in the order', [], (one) =>
    one.set(messaging().order.pendingEntries),
  );
  gauge('messaging_queue_bytes', 'bytes of messages that wait for their place in the order', [], (one) =>
    one.set(messaging().order.pendingBytes),
  );
  gauge('messaging_unstable_entries', 'ordered messages that not all members have yet', [], (one) => {
    const { highest, stable } = messaging().order;
    one.set(highest - stable);
  });
  gauge('messaging_log_entries', 'messages kept for members that may lack them', [], (one) =>
    one.set(messaging().order.logEntries),
  );
  gauge('messaging_stall_milliseconds', 'longest that messaging stood still in the last minute', [], (one) =>
    one.set(messaging().stallMs),
  );
  gauge('peer_silence_limit_milliseconds', 'silence at which a peer is suspected at present', ['peer'], (one) => {
    for (const peer of messaging().peers) one.set({ peer: nameOf(peer.node) }, peer.limitMs);
  });
  gauge('peer_clock_skew_milliseconds', 'a peer’s wall clock minus this node’s', ['peer'], (one) => {
    for (const peer of messaging().peers) {
      if (peer.clockSkewMs !== undefined) one.set({ peer: nameOf(peer.node) }, peer.clockSkewMs);
    }
  });
  gauge('link_up', '1 if a peer is heard on a link', ['peer', 'link'], (one) => {
    for (const peer of messaging().peers) {
      for (const { link, up } of peer.links) one.set({ peer: nameOf(peer.node), link: String(link) }, Number(up));
    }
  });
  gauge('own_link_up', '1 if this node’s end of a link works', ['link'], (one) => {
    for (const { link, up } of messaging().links) one.set({ link: String(link) }, Number(up));
  });
  gauge('host_total', 'what the host has counted', ['counter'], (one) => {
    for (const [counter, value] of Object.entries(counters())) one.set({ counter }, value);
  });
  return () => registry.metrics();
}
