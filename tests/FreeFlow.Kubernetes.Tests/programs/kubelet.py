"""A kubelet's half of the device plugin API, by grpcio: kubelet.py FOLDER AUTHORITY. Serves Registration on FOLDER/kubelet.sock; calls a plugin that has
registered with AUTHORITY ("path" for the socket's own path, as kubelets before 1.26 do). Reads commands, a line each, and prints one line of JSON for
each thing that happens: {"registered": name}, {"devices": {id: health}}, {"allocated": {...}}, {"refused": code}."""
import json, os, subprocess, sys, threading
from concurrent import futures

here = os.path.dirname(os.path.abspath(__file__))
folder, authority = sys.argv[1], sys.argv[2]
made = os.path.join(folder, "proto")
os.makedirs(made, exist_ok=True)
subprocess.run(["protoc", "-I", here, f"--python_out={made}", f"--grpc_python_out={made}", "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin",
                os.path.join(here, "device_plugin.proto")], check=True)
sys.path.insert(0, made)
import grpc
import device_plugin_pb2 as messages
import device_plugin_pb2_grpc as services

lock = threading.Lock()
channels = {}


def say(**fact):
    with lock:
        print(json.dumps(fact), flush=True)


def stub(name, endpoint):
    path = os.path.join(folder, endpoint)
    options = [("grpc.default_authority", path if authority == "path" else authority)]
    channels[name] = grpc.insecure_channel("unix:" + path, options=options)
    return services.DevicePluginStub(channels[name])


stubs = {}


def watch(name):
    try:
        for answer in stubs[name].ListAndWatch(messages.Empty()):
            healthy = sum(device.health == "Healthy" for device in answer.devices)
            say(resource=name, devices=len(answer.devices), healthy=healthy, first=answer.devices[0].ID)
    except grpc.RpcError as error:
        say(resource=name, ended=error.code().name)


class Kubelet(services.RegistrationServicer):
    def Register(self, request, context):
        stubs[request.resource_name] = stub(request.resource_name, request.endpoint)
        say(registered=request.resource_name, version=request.version, endpoint=request.endpoint)
        threading.Thread(target=watch, args=(request.resource_name,), daemon=True).start()
        return messages.Empty()


server = grpc.server(futures.ThreadPoolExecutor(8))
services.add_RegistrationServicer_to_server(Kubelet(), server)
server.add_insecure_port("unix:" + os.path.join(folder, "kubelet.sock"))
server.start()
say(serving=True)
for line in sys.stdin:
    verb, name, *ids = line.split()
    request = messages.AllocateRequest(container_requests=[messages.ContainerAllocateRequest(devicesIDs=ids)])
    try:
        if verb == "allocate":
            answer = stubs[name].Allocate(request).container_responses[0]
            say(environment=dict(answer.envs),
                mounts=[[mount.host_path, mount.container_path, mount.read_only] for mount in answer.mounts],
                devices=[[device.host_path, device.container_path, device.permissions] for device in answer.devices])
        elif verb == "prefer":
            wish = messages.ContainerPreferredAllocationRequest(available_deviceIDs=ids[1:], must_include_deviceIDs=ids[:1], allocation_size=2)
            answer = stubs[name].GetPreferredAllocation(messages.PreferredAllocationRequest(container_requests=[wish]))
            say(preferred=list(answer.container_responses[0].deviceIDs))
        elif verb == "start":
            stubs[name].PreStartContainer(messages.PreStartContainerRequest(devicesIDs=ids))
            say(started=True)
    except grpc.RpcError as error:
        say(refused=error.code().name, detail=error.details())
server.stop(None)
