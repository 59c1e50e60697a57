namespace FreeFlow.DevicePlugin.Resources;

/// <summary>Where the node has what the resources stand for, as paths of the host.</summary>
internal sealed record NodeFolders(string Sockets, string Library, string Devices, string System);
