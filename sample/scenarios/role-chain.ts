/** A pipeline's user takes on a role, and with that a role of another account: what is deployed there is two steps from its key. */
import { assumedRole } from '../apis.ts';
import { isoSeconds } from '../calendar.ts';
import { roleSession, type Session, userSession } from '../callers.ts';
import { releaseByChain } from '../scenario-facts.ts';
import { type Plot, type Stage, tell } from './stage.ts';

export const roleChain: Plot = (stage) => {
  const { event } = tell('role chain', stage);
  const { at, by, from, to, roles, sessionName, sharedEventId, calls } = releaseByChain(new Date(stage.end));
  const [pipeline, deploy] = roles;
  const user = userSession(from, by, FROM);
  const first = assumed(stage, user, Number(at), from, pipeline, sessionName);
  const second = assumed(stage, first.session, Number(at) + 4_000, to, deploy, sessionName);
  // The account that owns the role sees of the caller only where it comes from.
  const owner: Session = {
    ...first.session,
    account: to,
    identity: { type: 'AWSAccount', principalId: String(first.session.identity.principalId), accountId: from },
  };
  const inBoth = { ...second.shape, sharedEventId };
  return [
    event(at, user, 'sts:AssumeRole', first.shape),
    event(second.at, first.session, 'sts:AssumeRole', inBoth),
    event(second.at, owner, 'sts:AssumeRole', inBoth),
    ...calls.map((api, n) => event(second.at + 9_000 * (n + 1), second.session, api)),
  ];
};

const FROM = { ip: '192.0.2.17', agent: 'aws-cli/2.31.9' };

/** A role taken on by a caller: the call, and the session with the key that its answer gives. */
function assumed(stage: Stage, caller: Session, at: number, account: string, role: string, sessionName: string) {
  const { random, scene } = tell(`role chain: ${role}`, stage);
  const shape = assumedRole(scene(at, caller), account, role, sessionName);
  const { credentials } = shape.response as { readonly credentials: { readonly accessKeyId: string } };
  const { identity, ...rest } = roleSession(account, role, sessionName, at, random, FROM);
  const { sessionIssuer } = identity.sessionContext as { readonly sessionIssuer: unknown };
  const attributes = { creationDate: isoSeconds(at), mfaAuthenticated: 'false' };
  const session: Session = {
    ...rest,
    identity: { ...identity, accessKeyId: credentials.accessKeyId, sessionContext: { sessionIssuer, attributes } },
  };
  return { at, shape, session };
}
