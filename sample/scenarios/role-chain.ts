/** A CI user assumes a role, and with it a role of another account: the calls there are two roles away from the user's access key. */
import { assumedRole } from '../apis.ts';
import { isoSeconds } from '../calendar.ts';
import { type CallerSession, roleSession, userSession } from '../callers.ts';
import { roleChainRelease } from '../scenario-facts.ts';
import { type SampleSpan, type Scenario, scenarioTools } from './scenario.ts';

export const roleChainScenario: Scenario = (span) => {
  const { event } = scenarioTools('role chain', span);
  const { at, by, from, to, roles, sessionName, sharedEventId, calls } = roleChainRelease(new Date(span.end));
  const [pipeline, deploy] = roles;
  const user = userSession(from, by, FROM);
  const first = assumed(span, user, Number(at), from, pipeline, sessionName);
  const second = assumed(span, first.session, Number(at) + 4_000, to, deploy, sessionName);
  // In the role's account, the event has only the caller's account id.
  const owner: CallerSession = {
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

/** A caller assumes a role: the call, and the session with the access key of its response. */
function assumed(span: SampleSpan, caller: CallerSession, at: number, account: string, role: string, sessionName: string) {
  const { random, context } = scenarioTools(`role chain: ${role}`, span);
  const shape = assumedRole(context(at, caller), account, role, sessionName);
  const { credentials } = shape.response as { readonly credentials: { readonly accessKeyId: string } };
  const { identity, ...rest } = roleSession(account, role, sessionName, at, random, FROM);
  const { sessionIssuer } = identity.sessionContext as { readonly sessionIssuer: unknown };
  const attributes = { creationDate: isoSeconds(at), mfaAuthenticated: 'false' };
  const session: CallerSession = {
    ...rest,
    identity: { ...identity, accessKeyId: credentials.accessKeyId, sessionContext: { sessionIssuer, attributes } },
  };
  return { at, shape, session };
}
