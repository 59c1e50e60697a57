namespace FreeFlow.Shim.Readiness;

/// <summary>Who asks the kernel what it has to say of the registrations that <see cref="EpollReport.AddHot"/> reports, unless they have taken all the room.</summary>
internal enum AfterHot
{
    /// <summary>It has been asked, and has said all that it has.</summary>
    Asked,

    /// <summary>The caller does, if it has not done so for a while.</summary>
    Kernel,

    /// <summary>The caller does, but only if there is a reason.</summary>
    Reason,

    /// <summary>Nobody: it has been asked, and may have more to say than there was room for.</summary>
    Nothing,
}
