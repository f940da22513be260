// Asks an IAM simulator. Standard input: a list of {policies, action, resource}; standard output: for each, whether it
// is allowed, or the errors of a request that is not one.
const { runSimulation } = require('@cloud-copilot/iam-simulate');

const account = '123456789012';

async function ask({ policies, action, resource }) {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${account}:role/any`,
        action,
        resource: { resource, accountId: account },
        contextVariables: {},
      },
      identityPolicies: policies.map((policy, at) => ({ name: `p${at}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  return result.overallResult === 'Allowed' || (result.overallResult === 'ImplicitlyDenied' ? false : JSON.stringify(result));
}

(async () => {
  const questions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const answers = [];
  for (const question of questions) answers.push(await ask(question));
  console.log(JSON.stringify(answers));
})();
