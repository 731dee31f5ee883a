// The same story without Python and without a client library: Node's fetch over plain REST.
//
// It uploads a CSV as a dataset version, logs a run that used it (MLflow's protocol), stores a model file, registers a
// model, gives it an alias, and reads the lineage back. Node 18 or later, no packages. Where to log comes from
// MLFLOW_TRACKING_URI (…/mlflow/<project>) and MLFLOW_TRACKING_TOKEN.
import { createHash } from "node:crypto";

const tracking = process.env.MLFLOW_TRACKING_URI?.replace(/\/$/, "");
const token = process.env.MLFLOW_TRACKING_TOKEN;
if (!tracking || !token) throw new Error("Set MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.");
const [server, project] = tracking.split("/mlflow/");

async function ask(method, url, body, headers = {}) {
  const isBytes = body instanceof Uint8Array;
  const answer = await fetch(url, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "Content-Type": isBytes ? "application/octet-stream" : "application/json" }),
      ...headers,
    },
    body: body === undefined || isBytes ? body : JSON.stringify(body),
  });
  if (!answer.ok) {
    const said = await answer.text();
    throw Object.assign(new Error(`${method} ${url} answered ${answer.status}: ${said}`), { status: answer.status });
  }
  return answer;
}

const mlflow = async (method, path, body) => (await ask(method, `${tracking}/api/2.0/mlflow/${path}`, body)).json();
const native = async (method, path, body, headers) => (await ask(method, `${server}/api/v1/${path}`, body, headers)).json();
const query = (fields) => new URLSearchParams(fields).toString();

// --- Data: uploaded in pieces, made into a version, known by the digest of its content

async function upload(bytes) {
  const digest = createHash("sha256").update(bytes).digest("hex");
  let state = await native("POST", `projects/${project}/uploads/`, { size_bytes: bytes.length, digest });
  for (let at = 0; at < bytes.length; at = state.received_bytes) {
    const piece = bytes.subarray(at, at + state.part_bytes);
    state = await native("PATCH", `uploads/${state.id}/`, piece, { "Upload-Offset": String(at) });
  }
  await native("POST", `uploads/${state.id}/finish/`);
  return state.id;
}

async function datasetVersion(name, path, bytes) {
  const known = await native("GET", `projects/${project}/datasets/?${query({ limit: "1000" })}`);
  const dataset =
    known.results.find((one) => one.name === name) ??
    (await native("POST", `projects/${project}/datasets/`, { name, description: "Made by plain_rest.mjs." }));
  const versions = `projects/${project}/datasets/${dataset.id}/versions/`;
  try {
    return await native("POST", versions, { files: [{ path, upload: await upload(bytes) }], note: "From a script." });
  } catch (error) {
    if (error.status !== 409) throw error; // the same content again: that version is it
    return (await native("GET", versions)).results[0];
  }
}

// --- A run that used it

async function logRun(dataset, digest) {
  const name = "examples/plain rest";
  let experiment;
  try {
    experiment = (await mlflow("GET", `experiments/get-by-name?${query({ experiment_name: name })}`)).experiment.experiment_id;
  } catch (error) {
    if (error.status !== 404) throw error;
    experiment = (await mlflow("POST", "experiments/create", { name })).experiment_id;
  }
  const started = Date.now();
  const made = await mlflow("POST", "runs/create", { experiment_id: experiment, run_name: "mean by ward", start_time: started });
  const { run_id: run, artifact_uri: root } = made.run.info;
  await mlflow("POST", "runs/log-inputs", {
    run_id: run,
    datasets: [
      {
        dataset: { name: dataset, digest: digest.slice(0, 32), source_type: "http", source: JSON.stringify({ url: server }) },
        tags: [{ key: "mlflow.data.context", value: "training" }],
      },
    ],
  });
  await mlflow("POST", "runs/log-batch", {
    run_id: run,
    params: [{ key: "method", value: "mean" }],
    metrics: [0.9, 0.5, 0.25].map((value, step) => ({ key: "error", value, step, timestamp: started + step })),
    tags: [{ key: "mlflow.source.name", value: "plain_rest.mjs" }],
  });
  return { run, root: root.replace(/^mlflow-artifacts:\/*/, "") };
}

const fileUrl = (root, path) => `${tracking}/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`;

// --- A registered model, and the way back

async function register(model, run) {
  try {
    await mlflow("POST", "registered-models/create", { name: model });
  } catch (error) {
    if (error.status !== 400) throw error; // RESOURCE_ALREADY_EXISTS
  }
  const { model_version: version } = await mlflow("POST", "model-versions/create", {
    name: model,
    source: `runs:/${run}/model`,
    run_id: run,
  });
  await mlflow("POST", "registered-models/alias", { name: model, alias: "candidate", version: version.version });
  return version.version;
}

async function main() {
  const rows = new TextEncoder().encode("ward,value\n1,0.5\n2,0.75\n3,0.25\n");
  const version = await datasetVersion("plain-wards", "wards.csv", rows);
  const { run, root } = await logRun("plain-wards", version.digest);
  const means = new TextEncoder().encode(JSON.stringify({ mean: 0.5 }));
  await ask("PUT", fileUrl(root, "model/means.json"), means);
  const number = await register("mean-by-ward", run);
  await mlflow("POST", "runs/update", { run_id: run, status: "FINISHED", end_time: Date.now() });
  console.log(`run ${run}: dataset v${version.number}, registered as mean-by-ward version ${number}`);

  const wrong = [];
  const expect = (what, found, wanted) => found === wanted || wrong.push(`${what} came back as ${found}, not ${wanted}`);
  const byAlias = await mlflow("GET", `registered-models/alias?${query({ name: "mean-by-ward", alias: "candidate" })}`);
  expect("the version behind the alias", byAlias.model_version.version, number);
  expect("its run", byAlias.model_version.run_id, run);
  const back = new Uint8Array(await (await ask("GET", fileUrl(root, "model/means.json"))).arrayBuffer());
  expect("the model file", Buffer.from(back).toString(), Buffer.from(means).toString());
  const history = await mlflow("GET", `metrics/get-history?${query({ run_id: run, metric_key: "error" })}`);
  expect("the curve", history.metrics.map((point) => point.value).join(), "0.9,0.5,0.25");

  const lineage = await native("GET", `projects/${project}/lineage/?${query({ of: `run:${run}` })}`);
  const labels = lineage.nodes.map((node) => node.label);
  for (const label of [`plain-wards v${version.number}`, "mean by ward", `mean-by-ward v${number}`]) {
    if (!labels.includes(label)) wrong.push(`the lineage lacks ${label}; it has ${labels.join(", ")}`);
  }
  for (const line of wrong) console.error(`MISMATCH: ${line}`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

await main();
