CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('dc11669786a5');
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
CREATE INDEX idx_experiments_workspace ON experiments (workspace);
CREATE INDEX idx_experiments_workspace_creation_time ON experiments (workspace, creation_time);
INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active', 1795354120001, 1795354120001, 'default');
INSERT INTO experiments VALUES (1, 'vision/segmentation', 'mlflow-artifacts:/1', 'active', 1795354146771, 1795354146771, 'default');
INSERT INTO experiments VALUES (2, 'given up', 'mlflow-artifacts:/2', 'deleted', 1795354146943, 1795354154721, 'default');
CREATE TABLE "experiment_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO experiment_tags VALUES ('mlflow.note.content', '# Eyes', 1);
INSERT INTO experiment_tags VALUES ('team', 'vision', 1);
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO runs VALUES ('00fe45befdfe4184ad7aa21b562cbe7e', 'long', 'UNKNOWN', '', '', 'unknown', 'KILLED', 1700000000200, 1700000000100, '', 'active', 'mlflow-artifacts:/1/00fe45befdfe4184ad7aa21b562cbe7e/artifacts', 1, NULL);
INSERT INTO runs VALUES ('0650d0b09a7c439db3981f208f348c45', 'child 0', 'UNKNOWN', '', '', 'ada', 'FINISHED', 1700000000010, 1700000060000, '', 'active', 'mlflow-artifacts:/1/0650d0b09a7c439db3981f208f348c45/artifacts', 1, NULL);
INSERT INTO runs VALUES ('196e3ede80d645c292e81abcc5fc1a2c', 'sweep', 'UNKNOWN', '', '', 'grace', 'FINISHED', 1700000000000, 1700000080000, '', 'active', 'mlflow-artifacts:/1/196e3ede80d645c292e81abcc5fc1a2c/artifacts', 1, NULL);
INSERT INTO runs VALUES ('3162e6dd4c0d42829f536a7d1c8b8cdb', 'child 2', 'UNKNOWN', '', '', 'ada', 'FINISHED', 1700000000012, 1700000060000, '', 'active', 'mlflow-artifacts:/1/3162e6dd4c0d42829f536a7d1c8b8cdb/artifacts', 1, NULL);
INSERT INTO runs VALUES ('44f9942e9ddd41b7b15051dea4dc962f', 'too late', 'UNKNOWN', '', '', 'unknown', 'FAILED', 1700000000000, 1700000000005, '', 'deleted', 'mlflow-artifacts:/2/44f9942e9ddd41b7b15051dea4dc962f/artifacts', 2, 1795354154732);
INSERT INTO runs VALUES ('b410bf912b9e4c8cb2582dfbb39d8550', 'child 1', 'UNKNOWN', '', '', 'ada', 'FINISHED', 1700000000011, 1700000060000, '', 'active', 'mlflow-artifacts:/1/b410bf912b9e4c8cb2582dfbb39d8550/artifacts', 1, NULL);
INSERT INTO runs VALUES ('b5fbe92561394418b306851521cb7986', 'mistake', 'UNKNOWN', '', '', 'unknown', 'FAILED', 1700000000500, 1700000000501, '', 'deleted', 'mlflow-artifacts:/1/b5fbe92561394418b306851521cb7986/artifacts', 1, 1795354154637);
INSERT INTO runs VALUES ('bec5d39cb1d64aeb9e688e85fc63bb5c', 'evaluation', 'UNKNOWN', '', '', 'unknown', 'FINISHED', 1700000000300, 1700000000400, '', 'active', 'mlflow-artifacts:/1/bec5d39cb1d64aeb9e688e85fc63bb5c/artifacts', 1, NULL);
INSERT INTO runs VALUES ('c3850d76fd954cfb91c797cd20a2ae34', 'odd — Größe 🙂', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1700000000100, NULL, '', 'active', 'mlflow-artifacts:/1/c3850d76fd954cfb91c797cd20a2ae34/artifacts', 1, NULL);
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_params_run_uuid ON params (run_uuid);
INSERT INTO params VALUES ('empty', '', 'c3850d76fd954cfb91c797cd20a2ae34');
INSERT INTO params VALUES ('layers', '0', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO params VALUES ('layers', '1', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO params VALUES ('layers', '2', '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO params VALUES ('lr', '0.03333333333333333', '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO params VALUES ('lr', '0.05', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO params VALUES ('lr', '0.1', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO params VALUES ('text', 'line
line ''quoted'' "twice" ö', 'c3850d76fd954cfb91c797cd20a2ae34');
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
INSERT INTO tags VALUES ('mlflow.note.content', '**Best so far**', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('mlflow.parentRunId', '196e3ede80d645c292e81abcc5fc1a2c', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO tags VALUES ('mlflow.parentRunId', '196e3ede80d645c292e81abcc5fc1a2c', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO tags VALUES ('mlflow.parentRunId', 'b410bf912b9e4c8cb2582dfbb39d8550', '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO tags VALUES ('mlflow.runName', 'child 0', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO tags VALUES ('mlflow.runName', 'child 1', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO tags VALUES ('mlflow.runName', 'child 2', '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO tags VALUES ('mlflow.runName', 'evaluation', 'bec5d39cb1d64aeb9e688e85fc63bb5c');
INSERT INTO tags VALUES ('mlflow.runName', 'long', '00fe45befdfe4184ad7aa21b562cbe7e');
INSERT INTO tags VALUES ('mlflow.runName', 'mistake', 'b5fbe92561394418b306851521cb7986');
INSERT INTO tags VALUES ('mlflow.runName', 'odd — Größe 🙂', 'c3850d76fd954cfb91c797cd20a2ae34');
INSERT INTO tags VALUES ('mlflow.runName', 'sweep', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('mlflow.runName', 'too late', '44f9942e9ddd41b7b15051dea4dc962f');
INSERT INTO tags VALUES ('mlflow.source.git.commit', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('mlflow.source.name', 'train.py', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('mlflow.source.type', 'LOCAL', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('mlflow.user', 'ada', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO tags VALUES ('mlflow.user', 'ada', '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO tags VALUES ('mlflow.user', 'ada', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO tags VALUES ('mlflow.user', 'grace', '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO tags VALUES ('seed', '0', '0650d0b09a7c439db3981f208f348c45');
INSERT INTO tags VALUES ('seed', '1', 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO tags VALUES ('seed', '2', '3162e6dd4c0d42829f536a7d1c8b8cdb');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, "key", step);
INSERT INTO metrics VALUES ('best', 0.05, 1700000070000, '196e3ede80d645c292e81abcc5fc1a2c', 0, 0);
INSERT INTO metrics VALUES ('far', 1.0, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 9007199254740993, 0);
INSERT INTO metrics VALUES ('iou', 0.75, 1700000000310, 'bec5d39cb1d64aeb9e688e85fc63bb5c', 0, 0);
INSERT INTO metrics VALUES ('iou', 0.8, 1700000000320, 'bec5d39cb1d64aeb9e688e85fc63bb5c', 1, 0);
INSERT INTO metrics VALUES ('loss', -0.9999902065507035, 1700000000011, '00fe45befdfe4184ad7aa21b562cbe7e', 11, 0);
INSERT INTO metrics VALUES ('loss', -0.9997551733586199, 1700000000055, '00fe45befdfe4184ad7aa21b562cbe7e', 55, 0);
INSERT INTO metrics VALUES ('loss', -0.9992068341863537, 1700000000099, '00fe45befdfe4184ad7aa21b562cbe7e', 99, 0);
INSERT INTO metrics VALUES ('loss', -0.9938886539233752, 1700000000080, '00fe45befdfe4184ad7aa21b562cbe7e', 80, 0);
INSERT INTO metrics VALUES ('loss', -0.9917788534431158, 1700000000036, '00fe45befdfe4184ad7aa21b562cbe7e', 36, 0);
INSERT INTO metrics VALUES ('loss', -0.9880316240928618, 1700000000030, '00fe45befdfe4184ad7aa21b562cbe7e', 30, 0);
INSERT INTO metrics VALUES ('loss', -0.9851462604682474, 1700000000074, '00fe45befdfe4184ad7aa21b562cbe7e', 74, 0);
INSERT INTO metrics VALUES ('loss', -0.9661177700083929, 1700000000061, '00fe45befdfe4184ad7aa21b562cbe7e', 61, 0);
INSERT INTO metrics VALUES ('loss', -0.9613974918795568, 1700000000017, '00fe45befdfe4184ad7aa21b562cbe7e', 17, 0);
INSERT INTO metrics VALUES ('loss', -0.9589242746631385, 1700000000005, '00fe45befdfe4184ad7aa21b562cbe7e', 5, 0);
INSERT INTO metrics VALUES ('loss', -0.9537526527594719, 1700000000049, '00fe45befdfe4184ad7aa21b562cbe7e', 49, 0);
INSERT INTO metrics VALUES ('loss', -0.9482821412699473, 1700000000093, '00fe45befdfe4184ad7aa21b562cbe7e', 93, 0);
INSERT INTO metrics VALUES ('loss', -0.9234584470040598, 1700000000086, '00fe45befdfe4184ad7aa21b562cbe7e', 86, 0);
INSERT INTO metrics VALUES ('loss', -0.9165215479156338, 1700000000042, '00fe45befdfe4184ad7aa21b562cbe7e', 42, 0);
INSERT INTO metrics VALUES ('loss', -0.9055783620066239, 1700000000024, '00fe45befdfe4184ad7aa21b562cbe7e', 24, 0);
INSERT INTO metrics VALUES ('loss', -0.8979276806892913, 1700000000068, '00fe45befdfe4184ad7aa21b562cbe7e', 68, 0);
INSERT INTO metrics VALUES ('loss', -0.8555199789753223, 1700000000067, '00fe45befdfe4184ad7aa21b562cbe7e', 67, 0);
INSERT INTO metrics VALUES ('loss', -0.8462204041751706, 1700000000023, '00fe45befdfe4184ad7aa21b562cbe7e', 23, 0);
INSERT INTO metrics VALUES ('loss', -0.8317747426285983, 1700000000043, '00fe45befdfe4184ad7aa21b562cbe7e', 43, 0);
INSERT INTO metrics VALUES ('loss', -0.8218178366308225, 1700000000087, '00fe45befdfe4184ad7aa21b562cbe7e', 87, 0);
INSERT INTO metrics VALUES ('loss', -0.7794660696158047, 1700000000092, '00fe45befdfe4184ad7aa21b562cbe7e', 92, 0);
INSERT INTO metrics VALUES ('loss', -0.7682546613236668, 1700000000048, '00fe45befdfe4184ad7aa21b562cbe7e', 48, 0);
INSERT INTO metrics VALUES ('loss', -0.7568024953079282, 1700000000004, '00fe45befdfe4184ad7aa21b562cbe7e', 4, 0);
INSERT INTO metrics VALUES ('loss', -0.750987246771676, 1700000000018, '00fe45befdfe4184ad7aa21b562cbe7e', 18, 0);
INSERT INTO metrics VALUES ('loss', -0.7391806966492228, 1700000000062, '00fe45befdfe4184ad7aa21b562cbe7e', 62, 0);
INSERT INTO metrics VALUES ('loss', -0.6767719568873076, 1700000000073, '00fe45befdfe4184ad7aa21b562cbe7e', 73, 0);
INSERT INTO metrics VALUES ('loss', -0.6636338842129675, 1700000000029, '00fe45befdfe4184ad7aa21b562cbe7e', 29, 0);
INSERT INTO metrics VALUES ('loss', -0.6435381333569995, 1700000000037, '00fe45befdfe4184ad7aa21b562cbe7e', 37, 0);
INSERT INTO metrics VALUES ('loss', -0.6298879942744539, 1700000000081, '00fe45befdfe4184ad7aa21b562cbe7e', 81, 0);
INSERT INTO metrics VALUES ('loss', -0.5733818719904229, 1700000000098, '00fe45befdfe4184ad7aa21b562cbe7e', 98, 0);
INSERT INTO metrics VALUES ('loss', -0.5587890488516163, 1700000000054, '00fe45befdfe4184ad7aa21b562cbe7e', 54, 0);
INSERT INTO metrics VALUES ('loss', -0.5440211108893698, 1700000000010, '00fe45befdfe4184ad7aa21b562cbe7e', 10, 0);
INSERT INTO metrics VALUES ('loss', -0.5365729180004349, 1700000000012, '00fe45befdfe4184ad7aa21b562cbe7e', 12, 0);
INSERT INTO metrics VALUES ('loss', -0.5215510020869119, 1700000000056, '00fe45befdfe4184ad7aa21b562cbe7e', 56, 0);
INSERT INTO metrics VALUES ('loss', -0.4441126687075084, 1700000000079, '00fe45befdfe4184ad7aa21b562cbe7e', 79, 0);
INSERT INTO metrics VALUES ('loss', -0.428182669496151, 1700000000035, '00fe45befdfe4184ad7aa21b562cbe7e', 35, 0);
INSERT INTO metrics VALUES ('loss', -0.404037645323065, 1700000000031, '00fe45befdfe4184ad7aa21b562cbe7e', 31, 0);
INSERT INTO metrics VALUES ('loss', -0.38778163540943045, 1700000000075, '00fe45befdfe4184ad7aa21b562cbe7e', 75, 0);
INSERT INTO metrics VALUES ('loss', -0.3048106211022167, 1700000000060, '00fe45befdfe4184ad7aa21b562cbe7e', 60, 0);
INSERT INTO metrics VALUES ('loss', -0.2879033166650653, 1700000000016, '00fe45befdfe4184ad7aa21b562cbe7e', 16, 0);
INSERT INTO metrics VALUES ('loss', -0.27941549819892586, 1700000000006, '00fe45befdfe4184ad7aa21b562cbe7e', 6, 0);
INSERT INTO metrics VALUES ('loss', -0.26237485370392877, 1700000000050, '00fe45befdfe4184ad7aa21b562cbe7e', 50, 0);
INSERT INTO metrics VALUES ('loss', -0.24525198546765434, 1700000000094, '00fe45befdfe4184ad7aa21b562cbe7e', 94, 0);
INSERT INTO metrics VALUES ('loss', -0.1760756199485871, 1700000000085, '00fe45befdfe4184ad7aa21b562cbe7e', 85, 0);
INSERT INTO metrics VALUES ('loss', -0.158622668804709, 1700000000041, '00fe45befdfe4184ad7aa21b562cbe7e', 41, 0);
INSERT INTO metrics VALUES ('loss', -0.13235175009777303, 1700000000025, '00fe45befdfe4184ad7aa21b562cbe7e', 25, 0);
INSERT INTO metrics VALUES ('loss', -0.11478481378318722, 1700000000069, '00fe45befdfe4184ad7aa21b562cbe7e', 69, 0);
INSERT INTO metrics VALUES ('loss', -0.026551154023966794, 1700000000066, '00fe45befdfe4184ad7aa21b562cbe7e', 66, 0);
INSERT INTO metrics VALUES ('loss', -0.008851309290403876, 1700000000022, '00fe45befdfe4184ad7aa21b562cbe7e', 22, 0);
INSERT INTO metrics VALUES ('loss', 0.0, 1700000000000, '00fe45befdfe4184ad7aa21b562cbe7e', 0, 0);
INSERT INTO metrics VALUES ('loss', 0.017701925105413577, 1700000000044, '00fe45befdfe4184ad7aa21b562cbe7e', 44, 0);
INSERT INTO metrics VALUES ('loss', 0.03539830273366068, 1700000000088, '00fe45befdfe4184ad7aa21b562cbe7e', 88, 0);
INSERT INTO metrics VALUES ('loss', 0.05, 1700000019000, '0650d0b09a7c439db3981f208f348c45', 19, 0);
INSERT INTO metrics VALUES ('loss', 0.05, 1700000019000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 19, 0);
INSERT INTO metrics VALUES ('loss', 0.05, 1700000019000, 'b410bf912b9e4c8cb2582dfbb39d8550', 19, 0);
INSERT INTO metrics VALUES ('loss', 0.05263157894736842, 1700000018000, '0650d0b09a7c439db3981f208f348c45', 18, 0);
INSERT INTO metrics VALUES ('loss', 0.05263157894736842, 1700000018000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 18, 0);
INSERT INTO metrics VALUES ('loss', 0.05263157894736842, 1700000018000, 'b410bf912b9e4c8cb2582dfbb39d8550', 18, 0);
INSERT INTO metrics VALUES ('loss', 0.05555555555555555, 1700000017000, '0650d0b09a7c439db3981f208f348c45', 17, 0);
INSERT INTO metrics VALUES ('loss', 0.05555555555555555, 1700000017000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 17, 0);
INSERT INTO metrics VALUES ('loss', 0.05555555555555555, 1700000017000, 'b410bf912b9e4c8cb2582dfbb39d8550', 17, 0);
INSERT INTO metrics VALUES ('loss', 0.058823529411764705, 1700000016000, '0650d0b09a7c439db3981f208f348c45', 16, 0);
INSERT INTO metrics VALUES ('loss', 0.058823529411764705, 1700000016000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 16, 0);
INSERT INTO metrics VALUES ('loss', 0.058823529411764705, 1700000016000, 'b410bf912b9e4c8cb2582dfbb39d8550', 16, 0);
INSERT INTO metrics VALUES ('loss', 0.0625, 1700000015000, '0650d0b09a7c439db3981f208f348c45', 15, 0);
INSERT INTO metrics VALUES ('loss', 0.0625, 1700000015000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 15, 0);
INSERT INTO metrics VALUES ('loss', 0.0625, 1700000015000, 'b410bf912b9e4c8cb2582dfbb39d8550', 15, 0);
INSERT INTO metrics VALUES ('loss', 0.06666666666666667, 1700000014000, '0650d0b09a7c439db3981f208f348c45', 14, 0);
INSERT INTO metrics VALUES ('loss', 0.06666666666666667, 1700000014000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 14, 0);
INSERT INTO metrics VALUES ('loss', 0.06666666666666667, 1700000014000, 'b410bf912b9e4c8cb2582dfbb39d8550', 14, 0);
INSERT INTO metrics VALUES ('loss', 0.07142857142857142, 1700000013000, '0650d0b09a7c439db3981f208f348c45', 13, 0);
INSERT INTO metrics VALUES ('loss', 0.07142857142857142, 1700000013000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 13, 0);
INSERT INTO metrics VALUES ('loss', 0.07142857142857142, 1700000013000, 'b410bf912b9e4c8cb2582dfbb39d8550', 13, 0);
INSERT INTO metrics VALUES ('loss', 0.07692307692307693, 1700000012000, '0650d0b09a7c439db3981f208f348c45', 12, 0);
INSERT INTO metrics VALUES ('loss', 0.07692307692307693, 1700000012000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 12, 0);
INSERT INTO metrics VALUES ('loss', 0.07692307692307693, 1700000012000, 'b410bf912b9e4c8cb2582dfbb39d8550', 12, 0);
INSERT INTO metrics VALUES ('loss', 0.08333333333333333, 1700000011000, '0650d0b09a7c439db3981f208f348c45', 11, 0);
INSERT INTO metrics VALUES ('loss', 0.08333333333333333, 1700000011000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 11, 0);
INSERT INTO metrics VALUES ('loss', 0.08333333333333333, 1700000011000, 'b410bf912b9e4c8cb2582dfbb39d8550', 11, 0);
INSERT INTO metrics VALUES ('loss', 0.09090909090909091, 1700000010000, '0650d0b09a7c439db3981f208f348c45', 10, 0);
INSERT INTO metrics VALUES ('loss', 0.09090909090909091, 1700000010000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 10, 0);
INSERT INTO metrics VALUES ('loss', 0.09090909090909091, 1700000010000, 'b410bf912b9e4c8cb2582dfbb39d8550', 10, 0);
INSERT INTO metrics VALUES ('loss', 0.1, 1700000009000, '0650d0b09a7c439db3981f208f348c45', 9, 0);
INSERT INTO metrics VALUES ('loss', 0.1, 1700000009000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 9, 0);
INSERT INTO metrics VALUES ('loss', 0.1, 1700000009000, 'b410bf912b9e4c8cb2582dfbb39d8550', 9, 0);
INSERT INTO metrics VALUES ('loss', 0.10598751175115685, 1700000000091, '00fe45befdfe4184ad7aa21b562cbe7e', 91, 0);
INSERT INTO metrics VALUES ('loss', 0.1111111111111111, 1700000008000, '0650d0b09a7c439db3981f208f348c45', 8, 0);
INSERT INTO metrics VALUES ('loss', 0.1111111111111111, 1700000008000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 8, 0);
INSERT INTO metrics VALUES ('loss', 0.1111111111111111, 1700000008000, 'b410bf912b9e4c8cb2582dfbb39d8550', 8, 0);
INSERT INTO metrics VALUES ('loss', 0.123573122745224, 1700000000047, '00fe45befdfe4184ad7aa21b562cbe7e', 47, 0);
INSERT INTO metrics VALUES ('loss', 0.125, 1700000007000, '0650d0b09a7c439db3981f208f348c45', 7, 0);
INSERT INTO metrics VALUES ('loss', 0.125, 1700000007000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 7, 0);
INSERT INTO metrics VALUES ('loss', 0.125, 1700000007000, 'b410bf912b9e4c8cb2582dfbb39d8550', 7, 0);
INSERT INTO metrics VALUES ('loss', 0.1411200080598672, 1700000000003, '00fe45befdfe4184ad7aa21b562cbe7e', 3, 0);
INSERT INTO metrics VALUES ('loss', 0.14285714285714285, 1700000006000, '0650d0b09a7c439db3981f208f348c45', 6, 0);
INSERT INTO metrics VALUES ('loss', 0.14285714285714285, 1700000006000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 6, 0);
INSERT INTO metrics VALUES ('loss', 0.14285714285714285, 1700000006000, 'b410bf912b9e4c8cb2582dfbb39d8550', 6, 0);
INSERT INTO metrics VALUES ('loss', 0.14987720966295234, 1700000000019, '00fe45befdfe4184ad7aa21b562cbe7e', 19, 0);
INSERT INTO metrics VALUES ('loss', 0.16666666666666666, 1700000005000, '0650d0b09a7c439db3981f208f348c45', 5, 0);
INSERT INTO metrics VALUES ('loss', 0.16666666666666666, 1700000005000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 5, 0);
INSERT INTO metrics VALUES ('loss', 0.16666666666666666, 1700000005000, 'b410bf912b9e4c8cb2582dfbb39d8550', 5, 0);
INSERT INTO metrics VALUES ('loss', 0.16735570030280691, 1700000000063, '00fe45befdfe4184ad7aa21b562cbe7e', 63, 0);
INSERT INTO metrics VALUES ('loss', 0.2, 1700000004000, '0650d0b09a7c439db3981f208f348c45', 4, 0);
INSERT INTO metrics VALUES ('loss', 0.2, 1700000004000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 4, 0);
INSERT INTO metrics VALUES ('loss', 0.2, 1700000004000, 'b410bf912b9e4c8cb2582dfbb39d8550', 4, 0);
INSERT INTO metrics VALUES ('loss', 0.25, 1700000003000, '0650d0b09a7c439db3981f208f348c45', 3, 0);
INSERT INTO metrics VALUES ('loss', 0.25, 1700000003000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 3, 0);
INSERT INTO metrics VALUES ('loss', 0.25, 1700000003000, 'b410bf912b9e4c8cb2582dfbb39d8550', 3, 0);
INSERT INTO metrics VALUES ('loss', 0.25382336276203626, 1700000000072, '00fe45befdfe4184ad7aa21b562cbe7e', 72, 0);
INSERT INTO metrics VALUES ('loss', 0.27090578830786904, 1700000000028, '00fe45befdfe4184ad7aa21b562cbe7e', 28, 0);
INSERT INTO metrics VALUES ('loss', 0.2963685787093853, 1700000000038, '00fe45befdfe4184ad7aa21b562cbe7e', 38, 0);
INSERT INTO metrics VALUES ('loss', 0.31322878243308516, 1700000000082, '00fe45befdfe4184ad7aa21b562cbe7e', 82, 0);
INSERT INTO metrics VALUES ('loss', 0.3333333333333333, 1700000002000, '0650d0b09a7c439db3981f208f348c45', 2, 0);
INSERT INTO metrics VALUES ('loss', 0.3333333333333333, 1700000002000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 2, 0);
INSERT INTO metrics VALUES ('loss', 0.3333333333333333, 1700000002000, 'b410bf912b9e4c8cb2582dfbb39d8550', 2, 0);
INSERT INTO metrics VALUES ('loss', 0.3796077390275217, 1700000000097, '00fe45befdfe4184ad7aa21b562cbe7e', 97, 0);
INSERT INTO metrics VALUES ('loss', 0.39592515018183416, 1700000000053, '00fe45befdfe4184ad7aa21b562cbe7e', 53, 0);
INSERT INTO metrics VALUES ('loss', 0.4121184852417566, 1700000000009, '00fe45befdfe4184ad7aa21b562cbe7e', 9, 0);
INSERT INTO metrics VALUES ('loss', 0.4201670368266409, 1700000000013, '00fe45befdfe4184ad7aa21b562cbe7e', 13, 0);
INSERT INTO metrics VALUES ('loss', 0.43616475524782494, 1700000000057, '00fe45befdfe4184ad7aa21b562cbe7e', 57, 0);
INSERT INTO metrics VALUES ('loss', 0.5, 1700000001000, '0650d0b09a7c439db3981f208f348c45', 1, 0);
INSERT INTO metrics VALUES ('loss', 0.5, 1700000001000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 1, 0);
INSERT INTO metrics VALUES ('loss', 0.5, 1700000001000, 'b410bf912b9e4c8cb2582dfbb39d8550', 1, 0);
INSERT INTO metrics VALUES ('loss', 0.5139784559875352, 1700000000078, '00fe45befdfe4184ad7aa21b562cbe7e', 78, 0);
INSERT INTO metrics VALUES ('loss', 0.5290826861200238, 1700000000034, '00fe45befdfe4184ad7aa21b562cbe7e', 34, 0);
INSERT INTO metrics VALUES ('loss', 0.5514266812416906, 1700000000032, '00fe45befdfe4184ad7aa21b562cbe7e', 32, 0);
INSERT INTO metrics VALUES ('loss', 0.5661076368981803, 1700000000076, '00fe45befdfe4184ad7aa21b562cbe7e', 76, 0);
INSERT INTO metrics VALUES ('loss', 0.6367380071391379, 1700000000059, '00fe45befdfe4184ad7aa21b562cbe7e', 59, 0);
INSERT INTO metrics VALUES ('loss', 0.6502878401571168, 1700000000015, '00fe45befdfe4184ad7aa21b562cbe7e', 15, 0);
INSERT INTO metrics VALUES ('loss', 0.6569865987187891, 1700000000007, '00fe45befdfe4184ad7aa21b562cbe7e', 7, 0);
INSERT INTO metrics VALUES ('loss', 0.6702291758433747, 1700000000051, '00fe45befdfe4184ad7aa21b562cbe7e', 51, 0);
INSERT INTO metrics VALUES ('loss', 0.683261714736121, 1700000000095, '00fe45befdfe4184ad7aa21b562cbe7e', 95, 0);
INSERT INTO metrics VALUES ('loss', 0.7331903200732922, 1700000000084, '00fe45befdfe4184ad7aa21b562cbe7e', 84, 0);
INSERT INTO metrics VALUES ('loss', 0.7451131604793488, 1700000000040, '00fe45befdfe4184ad7aa21b562cbe7e', 40, 0);
INSERT INTO metrics VALUES ('loss', 0.7625584504796027, 1700000000026, '00fe45befdfe4184ad7aa21b562cbe7e', 26, 0);
INSERT INTO metrics VALUES ('loss', 0.7738906815578891, 1700000000070, '00fe45befdfe4184ad7aa21b562cbe7e', 70, 0);
INSERT INTO metrics VALUES ('loss', 0.8268286794901034, 1700000000065, '00fe45befdfe4184ad7aa21b562cbe7e', 65, 0);
INSERT INTO metrics VALUES ('loss', 0.8366556385360561, 1700000000021, '00fe45befdfe4184ad7aa21b562cbe7e', 21, 0);
INSERT INTO metrics VALUES ('loss', 0.8414709848078965, 1700000000001, '00fe45befdfe4184ad7aa21b562cbe7e', 1, 0);
INSERT INTO metrics VALUES ('loss', 0.8509035245341184, 1700000000045, '00fe45befdfe4184ad7aa21b562cbe7e', 45, 0);
INSERT INTO metrics VALUES ('loss', 0.8600694058124533, 1700000000089, '00fe45befdfe4184ad7aa21b562cbe7e', 89, 0);
INSERT INTO metrics VALUES ('loss', 0.8939966636005579, 1700000000090, '00fe45befdfe4184ad7aa21b562cbe7e', 90, 0);
INSERT INTO metrics VALUES ('loss', 0.9017883476488092, 1700000000046, '00fe45befdfe4184ad7aa21b562cbe7e', 46, 0);
INSERT INTO metrics VALUES ('loss', 0.9092974268256817, 1700000000002, '00fe45befdfe4184ad7aa21b562cbe7e', 2, 0);
INSERT INTO metrics VALUES ('loss', 0.9129452507276277, 1700000000020, '00fe45befdfe4184ad7aa21b562cbe7e', 20, 0);
INSERT INTO metrics VALUES ('loss', 0.9200260381967906, 1700000000064, '00fe45befdfe4184ad7aa21b562cbe7e', 64, 0);
INSERT INTO metrics VALUES ('loss', 0.9510546532543747, 1700000000071, '00fe45befdfe4184ad7aa21b562cbe7e', 71, 0);
INSERT INTO metrics VALUES ('loss', 0.956375928404503, 1700000000027, '00fe45befdfe4184ad7aa21b562cbe7e', 27, 0);
INSERT INTO metrics VALUES ('loss', 0.9637953862840878, 1700000000039, '00fe45befdfe4184ad7aa21b562cbe7e', 39, 0);
INSERT INTO metrics VALUES ('loss', 0.9683644611001854, 1700000000083, '00fe45befdfe4184ad7aa21b562cbe7e', 83, 0);
INSERT INTO metrics VALUES ('loss', 0.9835877454343449, 1700000000096, '00fe45befdfe4184ad7aa21b562cbe7e', 96, 0);
INSERT INTO metrics VALUES ('loss', 0.9866275920404853, 1700000000052, '00fe45befdfe4184ad7aa21b562cbe7e', 52, 0);
INSERT INTO metrics VALUES ('loss', 0.9893582466233818, 1700000000008, '00fe45befdfe4184ad7aa21b562cbe7e', 8, 0);
INSERT INTO metrics VALUES ('loss', 0.9906073556948704, 1700000000014, '00fe45befdfe4184ad7aa21b562cbe7e', 14, 0);
INSERT INTO metrics VALUES ('loss', 0.9928726480845371, 1700000000058, '00fe45befdfe4184ad7aa21b562cbe7e', 58, 0);
INSERT INTO metrics VALUES ('loss', 0.9995201585807313, 1700000000077, '00fe45befdfe4184ad7aa21b562cbe7e', 77, 0);
INSERT INTO metrics VALUES ('loss', 0.9999118601072672, 1700000000033, '00fe45befdfe4184ad7aa21b562cbe7e', 33, 0);
INSERT INTO metrics VALUES ('loss', 1.0, 1700000000000, '0650d0b09a7c439db3981f208f348c45', 0, 0);
INSERT INTO metrics VALUES ('loss', 1.0, 1700000000000, '3162e6dd4c0d42829f536a7d1c8b8cdb', 0, 0);
INSERT INTO metrics VALUES ('loss', 1.0, 1700000000000, '44f9942e9ddd41b7b15051dea4dc962f', 0, 0);
INSERT INTO metrics VALUES ('loss', 1.0, 1700000000000, 'b410bf912b9e4c8cb2582dfbb39d8550', 0, 0);
INSERT INTO metrics VALUES ('loss', 9.0, 1700000000000, 'b5fbe92561394418b306851521cb7986', 0, 0);
INSERT INTO metrics VALUES ('odd', -1.7976931348623157e+308, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 2, 0);
INSERT INTO metrics VALUES ('odd', 0.0, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 0, 1);
INSERT INTO metrics VALUES ('odd', 5e-324, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 3, 0);
INSERT INTO metrics VALUES ('odd', 0.30000000000000004, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 3, 0);
INSERT INTO metrics VALUES ('odd', 0.30000000000000004, 1700000000001, 'c3850d76fd954cfb91c797cd20a2ae34', 3, 0);
INSERT INTO metrics VALUES ('odd', 7.0, 1700000000002, 'c3850d76fd954cfb91c797cd20a2ae34', -4, 0);
INSERT INTO metrics VALUES ('odd', 1.7976931348623157e+308, 1700000000000, 'c3850d76fd954cfb91c797cd20a2ae34', 1, 0);
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
INSERT INTO latest_metrics VALUES ('best', 0.05, 1700000070000, 0, 0, '196e3ede80d645c292e81abcc5fc1a2c');
INSERT INTO latest_metrics VALUES ('far', 1.0, 1700000000000, 9007199254740993, 0, 'c3850d76fd954cfb91c797cd20a2ae34');
INSERT INTO latest_metrics VALUES ('iou', 0.8, 1700000000320, 1, 0, 'bec5d39cb1d64aeb9e688e85fc63bb5c');
INSERT INTO latest_metrics VALUES ('loss', -0.9992068341863537, 1700000000099, 99, 0, '00fe45befdfe4184ad7aa21b562cbe7e');
INSERT INTO latest_metrics VALUES ('loss', 0.05, 1700000019000, 19, 0, '0650d0b09a7c439db3981f208f348c45');
INSERT INTO latest_metrics VALUES ('loss', 0.05, 1700000019000, 19, 0, '3162e6dd4c0d42829f536a7d1c8b8cdb');
INSERT INTO latest_metrics VALUES ('loss', 0.05, 1700000019000, 19, 0, 'b410bf912b9e4c8cb2582dfbb39d8550');
INSERT INTO latest_metrics VALUES ('loss', 1.0, 1700000000000, 0, 0, '44f9942e9ddd41b7b15051dea4dc962f');
INSERT INTO latest_metrics VALUES ('loss', 9.0, 1700000000000, 0, 0, 'b5fbe92561394418b306851521cb7986');
INSERT INTO latest_metrics VALUES ('odd', 0.30000000000000004, 1700000000001, 3, 0, 'c3850d76fd954cfb91c797cd20a2ae34');
CREATE TABLE "datasets" (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE INDEX index_datasets_experiment_id_dataset_source_type ON datasets (experiment_id, dataset_source_type);
CREATE INDEX index_datasets_dataset_uuid ON datasets (dataset_uuid);
INSERT INTO datasets VALUES ('518ad566d0bb477689e6f41d4c177b25', 1, 'street', 'ffee0011', 'local', '{"uri": "s3://data/held"}', NULL, NULL);
INSERT INTO datasets VALUES ('774194a7189a40e69a284b592972b435', 1, 'street', '0a1b2c3d', 'local', '{"uri": "s3://data/street"}', '{"columns": []}', '{"rows": 5}');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE INDEX index_inputs_input_uuid ON inputs (input_uuid);
CREATE INDEX index_inputs_destination_type_destination_id_source_type ON inputs (destination_type, destination_id, source_type);
INSERT INTO inputs VALUES ('054a1a96e7d042239b9f4d3468cce1e3', 'RUN_OUTPUT', '196e3ede80d645c292e81abcc5fc1a2c', 'MODEL_OUTPUT', 'm-8aab713364b749ba92f6dd613c15341f', 7);
INSERT INTO inputs VALUES ('a1a1e2ed29c1422a91fc45e2aa09c4c7', 'DATASET', '518ad566d0bb477689e6f41d4c177b25', 'RUN', 'bec5d39cb1d64aeb9e688e85fc63bb5c', 0);
INSERT INTO inputs VALUES ('b067da3bd24e45f4ba4d5de0819c93f7', 'RUN_INPUT', 'bec5d39cb1d64aeb9e688e85fc63bb5c', 'MODEL_INPUT', 'm-8aab713364b749ba92f6dd613c15341f', 0);
INSERT INTO inputs VALUES ('ee977181e99c4b8590eb9454eed6a9d1', 'DATASET', '774194a7189a40e69a284b592972b435', 'RUN', '196e3ede80d645c292e81abcc5fc1a2c', 0);
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO input_tags VALUES ('a1a1e2ed29c1422a91fc45e2aa09c4c7', 'mlflow.data.context', 'eval');
INSERT INTO input_tags VALUES ('ee977181e99c4b8590eb9454eed6a9d1', 'mlflow.data.context', 'training');
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	artifact_location VARCHAR(1000) NOT NULL, 
	creation_timestamp_ms BIGINT NOT NULL, 
	last_updated_timestamp_ms BIGINT NOT NULL, 
	status INTEGER NOT NULL, 
	lifecycle_stage VARCHAR(32), 
	model_type VARCHAR(500), 
	source_run_id VARCHAR(32), 
	status_message VARCHAR(1000), 
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id), 
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO logged_models VALUES ('m-8aab713364b749ba92f6dd613c15341f', 1, 'net', 'mlflow-artifacts:/1/models/m-8aab713364b749ba92f6dd613c15341f/artifacts', 1795354152769, 1795354153265, 2, 'active', 'pytorch', '196e3ede80d645c292e81abcc5fc1a2c', NULL);
CREATE TABLE logged_model_params (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	param_key VARCHAR(255) NOT NULL, 
	param_value TEXT NOT NULL, 
	CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key), 
	CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO logged_model_params VALUES ('m-8aab713364b749ba92f6dd613c15341f', 1, 'depth', '3');
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	tag_key VARCHAR(255) NOT NULL, 
	tag_value TEXT NOT NULL, 
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key), 
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO logged_model_tags VALUES ('m-8aab713364b749ba92f6dd613c15341f', 1, 'kind', 'best');
INSERT INTO logged_model_tags VALUES ('m-8aab713364b749ba92f6dd613c15341f', 1, 'mlflow.modelVersions', '[{"name": "street net", "version": 1}]');
CREATE TABLE logged_model_metrics (
	model_id VARCHAR(36) NOT NULL, 
	metric_name VARCHAR(500) NOT NULL, 
	metric_timestamp_ms BIGINT NOT NULL, 
	metric_step BIGINT NOT NULL, 
	metric_value FLOAT, 
	experiment_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	dataset_uuid VARCHAR(36), 
	dataset_name VARCHAR(500), 
	dataset_digest VARCHAR(36), 
	CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id), 
	CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE, 
	CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
CREATE INDEX index_logged_model_metrics_model_id ON logged_model_metrics (model_id);
INSERT INTO logged_model_metrics VALUES ('m-8aab713364b749ba92f6dd613c15341f', 'iou', 1700000000310, 0, 0.75, 1, 'bec5d39cb1d64aeb9e688e85fc63bb5c', NULL, 'street', 'ffee0011');
INSERT INTO logged_model_metrics VALUES ('m-8aab713364b749ba92f6dd613c15341f', 'iou', 1700000000320, 1, 0.8, 1, 'bec5d39cb1d64aeb9e688e85fc63bb5c', NULL, NULL, NULL);
CREATE TABLE "registered_models" (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
CREATE INDEX idx_registered_models_workspace ON registered_models (workspace);
INSERT INTO registered_models VALUES ('greeting', 1795354155048, 1795354155061, 'First words', 'default');
INSERT INTO registered_models VALUES ('street net', 1795354154765, 1795354155029, 'Finds streets.', 'default');
CREATE TABLE "registered_model_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, "key", name), 
	CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
CREATE INDEX idx_registered_model_tags_workspace_name ON registered_model_tags (workspace, name);
INSERT INTO registered_model_tags VALUES ('_mlflow_experiment_ids', ',0,', 'greeting', 'default');
INSERT INTO registered_model_tags VALUES ('mlflow.prompt.is_prompt', 'true', 'greeting', 'default');
INSERT INTO registered_model_tags VALUES ('task', 'segmentation', 'street net', 'default');
CREATE TABLE "registered_model_aliases" (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias), 
	CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO registered_model_aliases VALUES ('best', 1, 'street net', 'default');
INSERT INTO registered_model_aliases VALUES ('trial', 3, 'street net', 'default');
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), 
	storage_location VARCHAR(500), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version), 
	CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO model_versions VALUES ('greeting', 1, 1795354155061, 1795354155061, 'First words', NULL, 'None', 'dummy-source', '', 'READY', NULL, '', 'dummy-source', 'default');
INSERT INTO model_versions VALUES ('street net', 1, 1795354154846, 1795354155029, 'First.', NULL, 'Production', 'models:/m-8aab713364b749ba92f6dd613c15341f', '196e3ede80d645c292e81abcc5fc1a2c', 'READY', NULL, '', 'mlflow-artifacts:/1/models/m-8aab713364b749ba92f6dd613c15341f/artifacts', 'default');
INSERT INTO model_versions VALUES ('street net', 2, 1795354154885, 1795354154945, NULL, NULL, 'Deleted_Internal', 'REDACTED-SOURCE-PATH', 'REDACTED-RUN-ID', 'READY', NULL, 'REDACTED-RUN-LINK', 'runs:/196e3ede80d645c292e81abcc5fc1a2c/deep', 'default');
INSERT INTO model_versions VALUES ('street net', 3, 1795354154905, 1795354154905, '', NULL, 'None', 's3://elsewhere/net', '', 'READY', NULL, '', 's3://elsewhere/net', 'default');
CREATE TABLE "model_version_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, "key", name, version), 
	CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE
);
CREATE INDEX idx_model_version_tags_workspace_name_version ON model_version_tags (workspace, name, version);
INSERT INTO model_version_tags VALUES ('_mlflow_prompt_type', 'text', 'greeting', 1, 'default');
INSERT INTO model_version_tags VALUES ('mlflow.prompt.is_prompt', 'true', 'greeting', 1, 'default');
INSERT INTO model_version_tags VALUES ('mlflow.prompt.text', 'Hello {{name}}', 'greeting', 1, 'default');
INSERT INTO model_version_tags VALUES ('quality', 'good', 'street net', 1, 'default');
