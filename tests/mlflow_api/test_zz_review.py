import base64, json
import msgspec, pytest
from kernel.paging import question_digest, encode_token
from tests.mlflow_api.test_bad_input import check
from tests.mlflow_api.speaking import Mlflow
from tests.factories import a_token

def tok(q, pos): return encode_token(q, pos)

def test_all(engineer, things, team, client):
    bad=[]
    def t(what, answer, ok=range(200,500)):
        if answer.status_code not in ok: bad.append((what, answer.status_code))
    run=things.run.uid.hex; secret=a_token(team.engineer)[1]
    m=Mlflow(secret,"/mlflow/a%00b")
    t("slug nul", m.send("GET","2.0/mlflow/runs/get",{"run_id":run}))
    m=Mlflow(secret,"")
    t("ws nul", m.send("GET","2.0/mlflow/runs/get",{"run_id":run},headers={"x-mlflow-workspace":"a\x00b"}))
    for meth in ("GET","PATCH","DELETE"):
        t(meth+" model nul", engineer.send(meth,"2.0/mlflow/logged-models/m-%00",{"status":"LOGGED_MODEL_READY"}))
    t("model tag nul", engineer.send("DELETE",f"2.0/mlflow/logged-models/{things.model.model_id}/tags/a%00b"))
    t("model tag long", engineer.send("DELETE",f"2.0/mlflow/logged-models/{things.model.model_id}/tags/{'a'*5000}"))
    q=question_digest("history", run, "secret-loss")
    for pos in (["1","2","9"*30],["9"*30,"2","3"],["1","9"*30,"2"],[1.5,float("1e300"),3],["1"],[None,None,None],["1","2","3","4"]):
        t(f"hist {pos}", engineer.send("GET","2.0/mlflow/metrics/get-history",{"run_id":run,"metric_key":"secret-loss","max_results":1,"page_token":tok(q,pos)}))
    raw=base64.urlsafe_b64encode(b'["x",['+b"["*100000+b"]"*100000+b"]]").decode().rstrip("=")
    t("deep token", engineer.send("POST","2.0/mlflow/runs/search",{"experiment_ids":["0"],"page_token":raw}))
    t("deep token e", engineer.send("POST","2.0/mlflow/experiments/search",{"page_token":raw}))
    t("deep token m", engineer.send("POST","2.0/mlflow/logged-models/search",{"experiment_ids":["0"],"page_token":raw}))
    for v in ("no json","5","{}","null",'"x"'):
        engineer.post("runs/set-tag",run_id=run,key="mlflow.log-model.history",value=v)
        t("log-model "+v, engineer.send("POST","2.0/mlflow/runs/log-model",{"run_id":run,"model_json":'{"artifact_path": "m", "flavors": {}, "utc_time_created": "2026"}'}))
    for depth in range(900,1000,1):
        mj='{"artifact_path":'+"["*depth+"]"*depth+', "flavors": {}, "utc_time_created": "2026"}'
        engineer.post("runs/set-tag",run_id=run,key="mlflow.log-model.history",value="[]")
        a=engineer.send("POST","2.0/mlflow/runs/log-model",{"run_id":run,"model_json":mj})
        if a.status_code>=500: bad.append(("deep model",depth)); break
        if a.status_code==400: break
    client.force_login(__import__("tests.factories").factories.user_of(team.engineer), backend="accounts.backends.EmailBackend")
    client.raise_request_exception=False
    s=team.project.slug
    for url in ("/jump/?q=a%00b", f"/p/{s}/runs/?q=%00", f"/p/{s}/runs/?q=name+%3D+'%00'", f"/p/{s}/runs/?columns=tags.%00&columns=params.%00&columns=metrics.%00", f"/p/{s}/runs/?sort=tags.%00",
        f"/p/{s}/runs/?experiment=999999999999999999&experiment=5", f"/p/{s}/runs/?after=%00", f"/p/{s}/runs/?after={raw[:3000]}", f"/p/{s}/experiments/?view=%00",
        f"/r/%00/", f"/r/{run}/curves.bin?key=%00", f"/r/{run}/curves.csv?key=%00", f"/r/{run}/curves.bin?key=secret-loss&buckets=1e300", f"/r/{run}/curves.bin?key=secret-loss&from=1e308&to=-1e308&x=time",
        f"/r/{run}/files/%00", f"/r/{run}/preview/a%00.png", f"/r/{run}/artifacts/?file=%00", f"/r/{run}/history/?before=%00", f"/r/{run}/history/?before={'0'*32}", f"/r/{run}/%00/",
        f"/p/{s}/logged-models/%00/", f"/p/{s}/logged-models/m-%00/files/x", f"/p/{s}/logged-models/{things.model.model_id}/files/%00", "/setup/%00/", "/login/?next=//evil.org", f"/p/{s}/members/?x=%00",
        "/login/reset/1-%00/", "/login/reset/zzzzzzzzzzzzzzzzzzzzzzzzz-abc/",
        f"/api/v1/runs/?q=%00", f"/api/v1/runs/?name=%00", f"/api/v1/runs/?user=%00", f"/api/v1/runs/?cursor=%00", f"/api/v1/runs/%00/", f"/api/v1/projects/{s}/experiments/%00/", f"/api/v1/runs/{run}/metric-history/?key=%00",
        f"/api/v1/runs/?experiment=999999999999999999", f"/api/v1/runs/?order=tags.%60%00%60", f"/api/v1/projects/{s}/events/?verb=%00", f"/api/v1/runs/?cursor={raw[:3000]}&q=x", f"/api/v1/runs/{run}/metric-history/?key=secret-loss&page_token="+tok(q,["1","2","9"*30]),
        f"/api/v1/runs/?q=x&project=%00"):
        t(url[:90], client.get(url))
    for url, data in ((f"/p/{s}/direction/",{"key":"\0","better":"higher"}),(f"/p/{s}/direction/",{"key":"k","better":"higher","run":"\0"}),
        (f"/p/{s}/experiments/",{"name":"a\0b"}),(f"/p/{s}/experiments/{things.experiment.pk}/do/rename/",{"name":"a\0b"}),(f"/p/{s}/experiments/99999999999999999999/do/rename/",{"name":"ab"}),
        (f"/r/{run}/do/lock/",{"reason":"\0"}),(f"/r/{run}/do/unlock/",{"reason":"a"*100000}),(f"/r/{run}/edit/",{"name":"\0","description":"x","before":"y"}),
        ("/me/",{"name":"a\0b"}),("/me/appearance/",{"theme":"\0"}),("/me/appearance/",{"theme":"dark","next":"//evil.org"}),("/me/tokens/",{"name":"\0","days":"7","scopes":"read","projects":"\0","default_project":"\0"}),
        (f"/p/{s}/members/",{"email":"\0","role":"\0"}),(f"/p/{s}/members/99999999999999999999999/remove/",{}),(f"/p/{s}/members/99999999999999999999999/role/",{"role":"\0"}),("/projects/",{"name":"\0","slug":"\0"}),
        ("/login/",{"login":"\0@x.y","password":"\0"})):
        a=client.post(url,data); t("POST "+url[:60]+str(data)[:40], a)
        if a.status_code==302 and "evil" in a["Location"]: bad.append(("redirect",a["Location"]))
    import os; open("/tmp/rev/bad."+os.environ.get("DATABASE_URL","sqlite")[:4],"w").write("\n".join(map(str,bad)))
