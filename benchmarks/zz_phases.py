import time, torch, collections, sys
torch.set_num_threads(1)
from dataclasses import replace
from benchmarks.stacked_speed import RECIPES, RATES, SEEDS, stack
from fmnist_core.data.sources import load
from fmnist_core.settings import Settings
from fmnist_core.network import stacked_training as st, stacked_draws as sd, training as tr
from fmnist_core.config import RunConfig
T=collections.Counter()
def wrap(owner, name, sync=True):
    f=getattr(owner,name)
    def g(*a,**k):
        if sync: torch.cuda.synchronize()
        t=time.perf_counter(); r=f(*a,**k)
        if sync: torch.cuda.synchronize()
        T[name]+=time.perf_counter()-t
        return r
    setattr(owner,name,g)
wrap(st.StackedTraining,"_train_epoch"); wrap(st.StackedTraining,"_log_probabilities"); wrap(st,"evaluate_log_probabilities"); wrap(st.StackedTraining,"_labels_of"); wrap(st.StackedTraining,"give_back"); wrap(sd.Stretch,"by_step"); wrap(st.StackedTraining,"_begin_draws"); wrap(tr.Training,"end_epoch", False); wrap(sd.EpochDraws,"orders")
orig=sd.EpochDraws.stretches
def stretches(self):
    it=orig(self)
    while True:
        t=time.perf_counter()
        try: x=next(it)
        except StopIteration: return
        T["wait for draws"]+=time.perf_counter()-t
        yield x
sd.EpochDraws.stretches=stretches
data=load(Settings.from_environment())
wide=RunConfig(hidden=(512,128), batch_norm=True, dropout=.2, input_dropout=.1, shift_pixels=1, flips=True, batch_size=128)
sets={n:[replace(c,dropout=r,seed=s) for r in RATES for s in SEEDS] for n,c in RECIPES.items()}
sets["wide"]=[replace(wide,seed=s,dropout=r) for s in (1,2) for r in [i/40 for i in range(1,33)]]
for n,c in sets.items():
    t=time.perf_counter(); s=stack(data,c,"cuda"); print(n,"made in %.2f"%(time.perf_counter()-t))
    s.run_epoch(); T.clear()
    t=time.perf_counter(); s.run_epoch(); s.run_epoch(); e=(time.perf_counter()-t)/2
    s.give_back()
    print(n,"epoch %.3f"%e,{k:round(v/2,3) for k,v in T.items()},flush=True)
    del s; torch.cuda.empty_cache()
