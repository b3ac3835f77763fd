import fc from 'fast-check';

/**
 * Ends a property before its test runs out of time. A failing one that is still being shrunk then says what failed, instead of "timed out".
 */
fc.configureGlobal({ interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true });
