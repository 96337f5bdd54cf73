"""The one folder that imports verl (0.9.1): registries and subclasses only, no verl file is edited.

`platform_cpu` is read by verl itself (VERL_USE_EXTERNAL_MODULES) before anything asks for a device,
on CPU machines only; `plugin` in every worker (model.external_lib) before engines, rollouts and
estimators are looked up; `trainer` holds PPOTrainerSync with the curriculum and the reward-server
guard; `main` runs it on Ray.
"""
